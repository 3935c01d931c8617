package cli

import (
	"context"
	"fmt"
	netmail "net/mail"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/secondstep/secondstep/server/mail"
	installation "github.com/secondstep/secondstep/server/settings"
)

// mailing are the settings of what sends mail.
type mailing struct {
	Server   smtpServer
	From     mailFrom
	Language string
}

// bind makes them flags of a command.
func (m *mailing) bind(flags *pflag.FlagSet) {
	flags.Var(&m.Server, "smtp-url", "The `URL` of the mail server, as smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465; without it no mail is sent. With a password in it, it belongs in the environment or the file.")
	flags.Var(&m.From, "mail-from", "The `address` that mails are from, as \"MailMachine <no-reply@example.com>\".")
	flags.Var(oneOf(&m.Language, mail.Languages()...), "mail-language", "The language of mails.")
}

// settings are nil where no mail is sent.
func (m *mailing) settings(public *url.URL) (*mail.Settings, error) {
	switch {
	case m.Server.Server == nil && m.From.Address == nil:
		return nil, nil
	case m.Server.Server == nil:
		return nil, misusedf("--mail-from needs --smtp-url: the mail server that takes the mails")
	case m.From.Address == nil:
		return nil, misusedf("--smtp-url needs --mail-from: the address that mails are from")
	}
	return &mail.Settings{Server: m.Server.Server, From: m.From.Address, PublicURL: public, Language: m.Language}, nil
}

// smtpServer is a mail server. What it was set to is not printed: there is a password in it.
type smtpServer struct{ *mail.Server }

func (s *smtpServer) Set(text string) (err error) {
	s.Server = nil
	if text != "" {
		s.Server, err = mail.ParseServer(text)
	}
	return err
}

func (s *smtpServer) String() string { return "" }
func (s *smtpServer) Type() string   { return "URL" }

// mailFrom is whom mails are from.
type mailFrom struct{ *netmail.Address }

func (f *mailFrom) Set(text string) (err error) {
	f.Address = nil
	if text != "" {
		f.Address, err = mail.ParseFrom(text)
	}
	return err
}

func (f *mailFrom) String() string { return "" }
func (f *mailFrom) Type() string   { return "address" }

func newMail(p program) *cobra.Command {
	return group(&cobra.Command{Use: "mail", Short: "Find out whether mail leaves."}, newMailTest(p))
}

type mailTestCommand struct {
	mailing

	Brand string
	To    string
}

func newMailTest(p program) *cobra.Command {
	var c mailTestCommand
	cmd := &cobra.Command{
		Use: "test ADDRESS", Short: "Send a mail and print what the mail server answered.", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c.To = args[0]
			return ended(c.Run(p))
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	c.bind(flags)
	bindBrand(flags, &c.Brand)
	settings(flags)
	return cmd
}

// brand is what the flag says, and nothing that is stored: no installation is opened for this.
func (c *mailTestCommand) brand(context.Context) string {
	if c.Brand == "" {
		return installation.DefaultBrand
	}
	return c.Brand
}

// Run sends the mail with the settings of serve.
func (c *mailTestCommand) Run(p program) error {
	settings, err := c.settings(&url.URL{})
	if err != nil {
		return err
	}
	if settings == nil {
		return misusedf("--smtp-url and --mail-from are needed: without them no mail is sent")
	}
	room, err := mail.New(mail.Dependencies{Settings: settings, Brand: c.brand, Now: time.Now})
	if err != nil {
		return err
	}
	at := fmt.Sprintf("%s:%d", settings.Server.Host, settings.Server.Port)
	said, err := room.Test(p.ctx, c.To)
	if err != nil {
		return fmt.Errorf("the mail server %s did not take the mail: %w", at, err)
	}
	fmt.Fprintf(p.out, "The mail server %s took the mail for %s and said: %s\n", at, c.To, said)
	return nil
}
