package mail_test

import (
	"context"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/servertest"
)

func TestParseServer(t *testing.T) {
	for text, want := range map[string]mail.Server{
		"smtp://mail.example.com":                  {Host: "mail.example.com", Port: 587, Security: mail.StartTLS},
		"smtp://mail.example.com:25":               {Host: "mail.example.com", Port: 25, Security: mail.StartTLS},
		"smtp://ada%40b.c:p%2Fw@mail.example.com/": {Host: "mail.example.com", Port: 587, Username: "ada@b.c", Password: "p/w", Security: mail.StartTLS},
		"smtps://mail.example.com":                 {Host: "mail.example.com", Port: 465, Security: mail.TLS},
		"smtps://127.0.0.1:4650":                   {Host: "127.0.0.1", Port: 4650, Security: mail.TLS},
		"smtp://localhost":                         {Host: "localhost", Port: 25, Security: mail.Plain},
		"smtp://127.0.0.1:1025":                    {Host: "127.0.0.1", Port: 1025, Security: mail.Plain},
		"smtp://[::1]:1025":                        {Host: "::1", Port: 1025, Security: mail.Plain},
		"smtp://127.0.0.1.example.com":             {Host: "127.0.0.1.example.com", Port: 587, Security: mail.StartTLS},
	} {
		if got, err := mail.ParseServer(text); err != nil || *got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"mail.example.com", "mail.example.com:587", "http://mail.example.com", "smtp://", "smtp://canary:canary@", "smtp://canary@mail.example.com",
		"smtp://:canary@mail.example.com", "smtp://mail.example.com:0", "smtp://mail.example.com:99999", "smtp://mail.example.com/canary",
		"smtp://mail.example.com?tls=canary", "smtp://canary:%zz@mail.example.com",
	} {
		if got, err := mail.ParseServer(text); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// room sends mail by this server.
func room(t *testing.T, server *mail.Server) *mail.Mail {
	t.Helper()
	made, err := mail.New(mail.Dependencies{Brand: func(context.Context) string { return "MailMachine" }, Now: time.Now, Settings: &mail.Settings{
		Server: server, From: &netmail.Address{Name: "Müller & Söhne", Address: "no-reply@example.test"}, PublicURL: &url.URL{}, Language: "en",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestWaysToTheMailServer sends by each of them to a real server, with and without a password.
func TestWaysToTheMailServer(t *testing.T) {
	t.Parallel()
	for _, security := range []string{mail.Plain, mail.StartTLS, mail.TLS} {
		for _, user := range []string{"", "mailer"} {
			t.Run(security+" "+user, func(t *testing.T) {
				t.Parallel()
				password := ""
				if user != "" {
					password = "canary-7Q"
				}
				box := servertest.NewMailbox(t, security, user, password)
				said, err := room(t, box.Server).Test(context.Background(), "ada@example.test")
				if err != nil || !strings.Contains(said, "OK") {
					t.Fatalf("%q, %v", said, err)
				}
				letters := box.Take()
				if len(letters) != 1 || letters[0].To != "ada@example.test" || letters[0].User != user || letters[0].Hidden != (security != mail.Plain) {
					t.Fatalf("%+v", letters)
				}
				if letters[0].From != "no-reply@example.test" || letters[0].Subject != "A test from MailMachine" || strings.Contains(letters[0].HTML, "href") {
					t.Errorf("%s", letters[0].Raw)
				}
				if user == "" {
					return
				}
				wrong := *box.Server
				wrong.Password = "canary-8X"
				_, err = room(t, &wrong).Test(context.Background(), "ada@example.test")
				if err == nil || !strings.Contains(err.Error(), "Authentication failed") || strings.Contains(err.Error(), "canary") {
					t.Errorf("a wrong password: %v", err)
				}
			})
		}
	}
}

// TestNoMailInTheClear: a mail server that has no TLS, or a certificate that nobody vouches for, is told nothing.
func TestNoMailInTheClear(t *testing.T) {
	t.Parallel()
	plain := servertest.NewMailbox(t, mail.Plain, "mailer", "canary-7Q")
	strangers := []*mail.Server{}
	for _, security := range []string{mail.StartTLS, mail.TLS} {
		downgraded := *plain.Server
		downgraded.Security = security
		strangers = append(strangers, &downgraded)
		unknown := *servertest.NewMailbox(t, security, "", "").Server
		unknown.Roots = nil
		strangers = append(strangers, &unknown)
	}
	for _, server := range strangers {
		if said, err := room(t, server).Test(context.Background(), "ada@example.test"); err == nil {
			t.Errorf("%s: %s", server.Security, said)
		}
	}
	if letters := plain.Take(); len(letters) > 0 {
		t.Errorf("%d mails went in the clear", len(letters))
	}
}

func TestNoSuchMailbox(t *testing.T) {
	t.Parallel()
	box := servertest.NewMailbox(t, mail.Plain, "", "")
	for _, address := range []string{"", "ada", "ada@example.test\r\nBcc: eve@example.test", "a@b.test, c@d.test"} {
		if said, err := room(t, box.Server).Test(context.Background(), address); err == nil {
			t.Errorf("%q: %s", address, said)
		}
	}
	if letters := box.Take(); len(letters) > 0 {
		t.Errorf("%d mails", len(letters))
	}
}
