package mail

import (
	"context"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
)

var update = flag.Bool("update", false, "write the letters of testdata anew")

// TestLetters holds each kind of mail to what it looked like when somebody last read it: testdata has all of them, to be
// opened in a browser, and `make screenshots` takes their pictures.
func TestLetters(t *testing.T) {
	left := map[string]int{"few": 2, "many": 8}
	m, err := New(Dependencies{
		Brand: func(context.Context) string { return "MailMachine" }, Settings: &Settings{PublicURL: &url.URL{Scheme: "https", Host: "account.example.org"}, Language: source},
		Message: func(context.Context, string) ([]string, error) {
			return []string{"We turn it on for everybody this month. <b>Questions?</b> Ask Ada, room 12.", "https://intranet.example.org/2-step"}, nil
		},
		CodesLeft: func(_ context.Context, userID string) (int, bool, error) { return left[userID], left[userID] < 4, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	here := `{"by":"self","browser":"Firefox on Linux","address":"192.0.2.7"}`
	at := database.At(time.Date(2026, 3, 12, 9, 41, 12, 0, time.UTC))
	named := map[string]row{}
	for _, kind := range Kinds {
		one := row{Kind: kind, Facts: here, Times: 4, UserID: "many"}
		if unasked[kind] {
			one.Facts = `{"by":"administrator"}`
		}
		if kind == Invitation || kind == EnrolmentLink {
			one.Facts = `{"by":"administrator"}`
		}
		if kind == EmailProof || kind == EmailTaken {
			one.Facts = `{}` // nobody's business
		}
		if kind == EmailStopped || kind == ResetStopped {
			one.Facts = here
		}
		if kind == Reset {
			one.Facts = `{"by":"administrator"}`
		}
		if kind == CodesVoided || kind == PasswordSet {
			one.Facts = `{"by":"console"}`
		}
		switch kind {
		case RequirementRequired, Reminder:
			one.Facts = `{"by":"administrator","until":"2026-03-26T22:59:59Z"}`
		case TicketNew, TicketReplied:
			one.Facts = `{}`
		case TicketProof:
			one.Facts, one.UserID = `{"by":"self","browser":"Firefox on Linux","address":"192.0.2.7","reference":"7KQ2M-XW4TD"}`, ""
		case TicketAnswered, TicketSolved:
			one.Facts = `{"reference":"7KQ2M-XW4TD"}`
		case RollOut:
			one.Facts = `{"by":"administrator","until":"2026-03-26T22:59:59Z","roll_out":"01"}`
		}
		named[string(kind)] = one
	}
	named["reminder_late"] = row{Kind: Reminder, Facts: `{"by":"administrator","until":"2026-03-10T22:59:59Z"}`}
	named["code_used_few"] = row{Kind: CodeUsed, Facts: here, UserID: "few"}
	for name, one := range named {
		one.ID, one.Name, one.Address, one.At = "01KKGPQTP0CXJ900X0R2FHK1NB", "Ada Lovelace", "ada@example.org", at
		path := ""
		if told := m.words.Kinds[one.Kind]; told.Action != "" {
			path, one.GoodUntil = "/somewhere#token=n0t-A-T0ken", database.At(at.Time().Add(time.Hour))
		}
		switch one.Kind {
		case TicketProof:
			path, one.Name = "/help/ticket#token=4B7QX-2M9KD-W0TZE-H5RJ8-C3VNG-P6YSA&reference=7KQ2M-XW4TD", "" // nothing of a stranger
		case TicketAnswered, TicketSolved:
			path, one.GoodUntil = "/help/ticket#token=4B7QX-2M9KD-W0TZE-H5RJ8-C3VNG-P6YSA&reference=7KQ2M-XW4TD", 0
		}
		letter, err := m.compose(context.Background(), &one, path)
		if err != nil {
			t.Fatal(err)
		}
		plain, html, err := letter.render()
		if err != nil {
			t.Fatal(err)
		}
		same(t, name+".txt", "Subject: "+letter.Subject+"\n\n"+plain)
		same(t, name+".html", html)
	}
	test := m.words.Test
	plain, html, err := m.letter("MailMachine", &row{}, test, test.Text, 0).render()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "test.txt", "Subject: "+test.Subject+"\n\n"+plain)
	same(t, "test.html", html)
}

func same(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != text {
		t.Errorf("testdata/%s is otherwise (write it anew with -update, and read it):\n%s", name, text)
	}
}

func TestWaits(t *testing.T) {
	for tries, want := range map[int]time.Duration{
		1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 9: 256 * time.Minute, 10: 6 * time.Hour, 11: 6 * time.Hour, 1000: 6 * time.Hour,
	} {
		if got := wait(tries); got != want {
			t.Errorf("after %d tries %s, want %s", tries, got, want)
		}
	}
}
