"""The way of a call: what arrives is limited, admitted, checked, kept under its key, and brought to its endpoint."""
