"""What tests share: the proxy as a process, peers that do as told, tokens, certificates."""
