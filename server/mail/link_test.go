package mail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/servertest"
)

const token = "n0t-A-T0ken-of-anybodys"

// send queues a letter with a link that is good for an hour.
func send(t *testing.T, in *servertest.Installation, userID string) (queued bool) {
	t.Helper()
	err := in.First().Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) (err error) {
		queued, err = in.First().Mail.Send(ctx, tx, mail.Letter{
			UserID: userID, To: ada, Name: "Ada", Kind: mail.PasswordLink, Path: "/password#token=" + token, Until: tx.Now.Add(time.Hour),
			Facts: mail.Facts{By: mail.BySelf, Browser: "Firefox on Linux", Address: "192.0.2.7"},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return queued
}

// stored is all that the outbox has of links, as text.
func stored(in *servertest.Installation) string {
	column := "hex(link)"
	if in.Postgres {
		column = "encode(link, 'hex')"
	}
	return strings.Join(in.Column("SELECT "+column+" FROM outbox"), "")
}

// TestLinksWaitSealed is rows 55 and 61: a link is made from the public URL, is nowhere to be read while it waits, goes
// on when the key is changed, and is forgotten once the mail is over.
func TestLinksWaitSealed(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		for _, userID := range []string{id, ""} {
			if !send(t, in, userID) {
				t.Fatal("it is not sent")
			}
			if sealed := stored(in); sealed == "" || strings.Contains(strings.ToLower(sealed), "6e30742d41") {
				t.Errorf("stored: %s", sealed)
			}
			for name, content := range in.Files() {
				if strings.Contains(string(content), token) {
					t.Errorf("%s has the token", name)
				}
			}
			if _, err := in.First().RotateKey(context.Background(), func(int, int) {}); err != nil {
				t.Fatal(err)
			}
			letters := in.Mails()
			if len(letters) != 1 || letters[0].To != ada || letters[0].Subject != "Choose a new password" {
				t.Fatalf("%+v", letters)
			}
			says(t, letters[0], servertest.MailURL+"/password#token="+token, "Hello Ada,", "12 March 2026, 10:41 UTC", "from the address 192.0.2.7")
			if left := stored(in); left != "" {
				t.Errorf("a link is kept: %s", left)
			}
		}
		if strings.Contains(in.First().Log.String(), token) {
			t.Error("the log has the token")
		}
	}, mails)
}

// TestDeadLinksAreNotSent: what came too late is forgotten.
func TestDeadLinksAreNotSent(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		send(t, in, in.AddPerson("Ada", ada, "administrator"))
		in.Mailbox.Answer(func(string) error { return errors.New("not now") })
		for range 70 {
			untold(t, in)
			in.Clock.Advance(time.Minute)
		}
		in.Mailbox.Answer(nil)
		untold(t, in)
		if ended := in.Column("SELECT id FROM outbox WHERE given_up_at IS NOT NULL"); len(ended) != 1 || stored(in) != "" {
			t.Errorf("%d ended, stored %s", len(ended), stored(in))
		}
	}, mails)
}

// TestLettersHaveTheSameBudget is row 47.
func TestLettersHaveTheSameBudget(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		queued := 0
		for range 9 {
			if send(t, in, id) {
				queued++
			}
		}
		if sent := len(in.Mails()); queued != 5 || sent != 5 {
			t.Errorf("%d queued, %d sent", queued, sent)
		}
	}, mails)
}

func TestNoLetterWithoutMailServer(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t)
	if in.First().Mail.Sends() || send(t, in, in.AddPerson("Ada", ada, "administrator")) || len(in.Column("SELECT id FROM outbox")) > 0 {
		t.Error("a letter waits for nobody")
	}
}
