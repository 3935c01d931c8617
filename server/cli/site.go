package cli

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"github.com/secondstep/secondstep/server"
)

// site are the settings of where browsers reach an installation.
type site struct {
	Listen    string
	PublicURL string
}

const standardListen = "127.0.0.1:8080"

// bind makes them flags of a command.
func (s *site) bind(flags *pflag.FlagSet) {
	flags.StringVar(&s.Listen, "listen", standardListen, "The `address` and port to listen on.")
	flags.StringVar(&s.PublicURL, "public-url", "", "The `URL` at which browsers reach the server, such as https://id.example.org; by default the address that it listens on.")
}

// public is where browsers reach the server. One that nobody has set is the address that it listens on, by any of the
// loopback's names.
func (s *site) public(listening net.Addr) (public *url.URL, aliases bool, err error) {
	if s.PublicURL == "" {
		address, ok := listening.(*net.TCPAddr)
		if !ok || !address.IP.IsLoopback() {
			return nil, false, misusedf("--public-url is needed where --listen is not this machine's loopback: say where browsers reach the server")
		}
		return &url.URL{Scheme: "http", Host: listening.String()}, true, nil
	}
	public, err = url.Parse(strings.TrimRight(s.PublicURL, "/"))
	if err != nil || public.Host == "" || public.Path != "" || public.Scheme != "https" && public.Scheme != "http" {
		return nil, false, misusedf("--public-url must be a scheme and a host, such as https://id.example.org")
	}
	return public, false, nil
}

// links is where the links of a command lead: where its settings say, else to the server that ran last on the installation.
func (s *site) links(p program, installation *server.Server, public *url.URL) (string, error) {
	if s.PublicURL != "" || s.Listen != standardListen {
		return public.String(), nil
	}
	noted, err := installation.PublicURL(p.ctx)
	if err != nil || noted != "" {
		return noted, err
	}
	return public.String(), nil
}

// elsewhere is the same as public for a command that does not serve: where a server with these settings is reached.
func (s *site) elsewhere() (*url.URL, error) {
	listening, err := net.ResolveTCPAddr("tcp", s.Listen)
	if err != nil {
		return nil, misused{fmt.Errorf("--listen: %w", err)}
	}
	if s.PublicURL == "" && listening.Port == 0 {
		return nil, misusedf("--public-url is needed where --listen leaves the port open: say where browsers reach the server")
	}
	public, _, err := s.public(listening)
	return public, err
}
