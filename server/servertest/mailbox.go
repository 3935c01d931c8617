package servertest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/secondstep/secondstep/server/mail"
)

// Mailbox is a real mail server that keeps what it is sent.
type Mailbox struct {
	Server *mail.Server // how to reach it

	t       testing.TB
	mu      sync.Mutex
	letters []*Letter
	answer  func(to string) error
	drops   int
	losses  int
}

// Letter is a mail that arrived.
type Letter struct {
	To, From   string // of the envelope
	Header     netmail.Header
	Subject    string // decoded
	Text, HTML string
	Raw        string
	Hidden     bool   // it came over TLS
	User       string // who handed it over; empty: nobody signed in
}

// NewMailbox starts one on this machine. security is one of the mail room's; with a user, it takes mail from nobody else.
func NewMailbox(t testing.TB, security, user, password string) *Mailbox {
	t.Helper()
	b := &Mailbox{t: t}
	certificate, roots := certify(t)
	server := smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		return &taking{box: b, conn: conn, user: user, password: password}, nil
	}))
	server.ErrorLog = log.New(io.Discard, "", 0) // tests hang up on it
	server.AllowInsecureAuth = security == mail.Plain
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	secure := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	switch security {
	case mail.StartTLS:
		server.TLSConfig = secure
	case mail.TLS:
		listener = tls.NewListener(listener, secure)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // where it was closed before it served
		<-served
	})
	b.Server = &mail.Server{Host: "127.0.0.1", Port: port, Username: user, Password: password, Security: security, Roots: roots}
	return b
}

// Answer lets the mail server answer so when it is told whom a mail is for; nil takes it.
func (b *Mailbox) Answer(answer func(to string) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// Drop lets it hang up in the middle of the next mails.
func (b *Mailbox) Drop(mails int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drops = mails
}

// Lose lets it take the next mails and hang up before it says so.
func (b *Mailbox) Lose(mails int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.losses = mails
}

// Take empties the mailbox.
func (b *Mailbox) Take() []*Letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.letters
	b.letters = nil
	return taken
}

// Mails lets the first instance send what is due, and empties the mailbox.
func (in *Installation) Mails() []*Letter {
	in.t.Helper()
	if _, err := in.First().Mail.Deliver(context.Background()); err != nil {
		in.t.Fatal(err)
	}
	return in.Mailbox.Take()
}

// taking is a connection to a mailbox.
type taking struct {
	box            *Mailbox
	conn           *smtp.Conn
	user, password string
	signedIn       string
	from, to       string
}

func (s *taking) AuthMechanisms() []string {
	if s.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *taking) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.user || password != s.password {
			return smtp.ErrAuthFailed
		}
		s.signedIn = user
		return nil
	}), nil
}

func (s *taking) Reset()        { s.from, s.to = "", "" }
func (s *taking) Logout() error { return nil }

func (s *taking) Mail(from string, _ *smtp.MailOptions) error {
	if s.signedIn != s.user {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *taking) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.box.mu.Lock()
	answer := s.box.answer
	s.box.mu.Unlock()
	if answer != nil {
		if err := answer(to); err != nil {
			return err
		}
	}
	s.to = to
	return nil
}

func (s *taking) Data(content io.Reader) error {
	s.box.mu.Lock()
	drop := s.box.drops > 0
	if drop {
		s.box.drops--
	}
	s.box.mu.Unlock()
	if drop {
		_, _ = io.CopyN(io.Discard, content, 100)
		_ = s.conn.Conn().Close()
		return errors.New("hung up")
	}
	raw, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	letter, err := open(raw)
	if err != nil {
		s.box.t.Errorf("a mail that can't be read: %v\n%s", err, raw)
		return err
	}
	letter.From, letter.To, letter.User = s.from, s.to, s.signedIn
	_, letter.Hidden = s.conn.TLSConnectionState()
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.letters = append(s.box.letters, letter)
	if s.box.losses > 0 {
		s.box.losses--
		_ = s.conn.Conn().Close()
		return errors.New("hung up")
	}
	return nil
}

// open reads a mail as a mailer does.
func open(raw []byte) (*Letter, error) {
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	letter := &Letter{Header: message.Header, Raw: string(raw)}
	if letter.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return nil, err
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return letter, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			letter.HTML = string(text)
		} else {
			letter.Text = string(text)
		}
	}
}

// certify makes a certificate for this machine, and who vouches for it.
func certify(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mailbox"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	made, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(made)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}, roots
}
