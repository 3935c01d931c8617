package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// patience is how long a mail server may take to greet, and then to take a mail.
const patience = 10 * time.Second

// hand gives a letter to the mail server and answers what that said. It took the letter where there is no error.
func (s *Settings) hand(ctx context.Context, l *letter, now time.Time) (said string, err error) {
	message, err := s.message(l, now)
	if err != nil {
		return "", ownFault{err}
	}
	client, hangUp, err := s.Server.client(ctx)
	if err != nil {
		return "", err
	}
	defer hangUp()
	err = client.DialAndSendWithContext(ctx, message)
	if message.IsDelivered() { // whatever went wrong with the goodbye
		return oneLine(message.ServerResponse()), nil
	}
	if err == nil {
		err = errors.New("it did not say whether it took the mail")
	}
	if refusal := (*gomail.SendError)(nil); errors.As(err, &refusal) && refusal.Reason == gomail.ErrSMTPRcptTo {
		return "", ownFault{plain(err)}
	}
	return "", plain(err)
}

// message is the letter as it travels. Nothing that a person chose is in its headers but the subject's words, which have
// no line breaks and are encoded besides.
func (s *Settings) message(l *letter, now time.Time) (*gomail.Msg, error) {
	text, html, err := l.render()
	if err != nil {
		return nil, err
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(s.From)
	if err := message.To(l.to); err != nil {
		return nil, errors.New("the address on record is not one that mail can be sent to")
	}
	message.Subject(oneLine(l.Subject))
	message.SetDateWithValue(now)
	_, domain, _ := strings.Cut(s.From.Address, "@")
	message.SetMessageIDWithValue(l.id + "@" + domain)       // the same for every try, so that a mailbox can know a repeat
	message.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office note is wanted
	message.SetBodyString(gomail.TypeTextPlain, text)
	message.AddAlternativeString(gomail.TypeTextHTML, html)
	return message, nil
}

// client is one for one mail, so that nothing is left of a connection that went wrong. The connection is ours: it ends
// with hangUp or with ctx, even in the middle of a mail, and the library's are left open where a greeting fails.
func (s *Server) client(ctx context.Context) (client *gomail.Client, hangUp func(), err error) {
	secure := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(patience), gomail.WithTLSConfig(secure), gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	switch s.Security {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default: // there is TLS already, or nobody to hide from
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.Username != "" {
		ways := []gomail.SMTPAuthType{
			gomail.SMTPAuthSCRAMSHA256PLUS, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin,
		}
		if s.Security == Plain {
			ways = []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc}
		}
		options = append(options, gomail.WithUsername(s.Username), gomail.WithPassword(s.Password), gomail.WithOpportunisticSMTPAuth(ways...))
	}
	ended, hangUp := context.WithCancel(ctx)
	options = append(options, gomail.WithDialContextFunc(func(dialling context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(dialling, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ended, func() { _ = conn.Close() })
		if s.Security != TLS {
			return conn, nil
		}
		hidden := tls.Client(conn, secure)
		return hidden, hidden.HandshakeContext(dialling)
	}))
	client, err = gomail.NewClient(s.Host, options...)
	if err != nil {
		hangUp()
		return nil, nil, fmt.Errorf("the settings of the mail server: %w", err)
	}
	return client, hangUp, nil
}

// plain is what the mail server said, without what the library puts around it.
func plain(err error) error {
	text := oneLine(err.Error())
	for _, around := range []string{"dial failed: ", "send failed: "} {
		text = strings.TrimPrefix(text, around)
	}
	for _, after := range []string{", affected recipient(s)", ", affected message ID"} {
		text, _, _ = strings.Cut(text, after)
	}
	return errors.New(quoted.ReplaceAllStringFunc(text, func(reply string) string {
		code, said, _ := strings.Cut(reply, " ")
		if said, err := strconv.Unquote(said); err == nil {
			return code + " " + oneLine(said)
		}
		return reply
	}))
}

// quoted is a reply of the mail server as Go writes it.
var quoted = regexp.MustCompile(`\b[245]\d\d "(?:[^"\\]|\\.)*"`)

// oneLine has no line breaks and nothing else that is not seen.
func oneLine(text string) string {
	visible := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(visible), " ")
}
