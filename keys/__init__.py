"""Where keys come from; nothing here knows a value, a row or HTTP."""
