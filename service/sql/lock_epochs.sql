-- Of several that notice at once one writes it down; whoever reads is not kept waiting.
LOCK TABLE epoch IN SHARE ROW EXCLUSIVE MODE
