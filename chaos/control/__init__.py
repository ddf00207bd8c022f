"""The control: the same faults on stock parts, which must lose or double. Else the harness sees nothing."""
