package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// listen opens the address of --listen, or says what to write instead.
func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	var malformed *net.AddrError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("--listen: something listens on %s already: stop it, or name another address such as 127.0.0.1:8081", address)
	case errors.As(err, &malformed) && !strings.Contains(address, ":"):
		return nil, misusedf("--listen takes an address and a port, such as 127.0.0.1:8080")
	case err != nil:
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return listener, nil
}
