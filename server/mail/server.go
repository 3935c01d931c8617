package mail

import (
	"crypto/x509"
	"errors"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
)

// Ways of keeping a connection to the mail server secret.
const (
	StartTLS = "starttls" // begun in the clear, and refused unless it becomes TLS before anything is told
	TLS      = "tls"      // from the first byte
	Plain    = "plain"    // not at all, which is for this machine's loopback alone
)

// Server is the mail server that takes the mails.
type Server struct {
	Host               string
	Port               int
	Username, Password string // empty: it asks for none
	Security           string
	Roots              *x509.CertPool // who vouches for it; nil: whom this machine trusts
}

// Errors of ParseServer say what to write. They never repeat what was written, which has a password in it.
var (
	errServer = errors.New("must be smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 (TLS)")
	errHalf   = errors.New("must have a password where it has a user: smtp://user:password@host:587")
)

// ParseServer reads the address of a mail server. In an smtp:// address STARTTLS is a must, unless the server is on this
// machine's loopback, where nobody else listens.
func ParseServer(text string) (*Server, error) {
	address, err := url.Parse(text)
	if err != nil || address.Hostname() == "" || address.RawQuery != "" || address.Fragment != "" || address.Path != "" && address.Path != "/" {
		return nil, errServer
	}
	server := &Server{Host: address.Hostname(), Username: address.User.Username()}
	server.Password, _ = address.User.Password()
	if (server.Username == "") != (server.Password == "") {
		return nil, errHalf
	}
	switch {
	case address.Scheme == "smtps":
		server.Security, server.Port = TLS, 465
	case address.Scheme != "smtp":
		return nil, errServer
	case loopback(server.Host):
		server.Security, server.Port = Plain, 25
	default:
		server.Security, server.Port = StartTLS, 587
	}
	if port := address.Port(); port != "" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return nil, errServer
		}
		server.Port = int(number)
	}
	return server, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// ParseFrom reads whom mails are from: a name and an address, or an address alone.
func ParseFrom(text string) (*mail.Address, error) {
	from, err := mail.ParseAddress(text)
	if err != nil {
		return nil, errors.New("must be an address such as no-reply@example.com, or MailMachine <no-reply@example.com>")
	}
	return from, nil
}
