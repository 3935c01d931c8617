package mail_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/servertest"
)

var mails = servertest.Options{Mail: true}

// happens lets something be told to the person.
func happens(t *testing.T, in *servertest.Installation, id string) {
	t.Helper()
	record(t, in, audit.Event{Actor: id, Browser: "Firefox on Linux", Address: "192.0.2.7"}.About(id).Is(audit.PasswordChanged, audit.OK))
}

// TestNothingIsQueuedWithoutMailServer: where no mail leaves none is written, and where it did and no longer does neither.
func TestNothingIsQueuedWithoutMailServer(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		happens(t, in, id)
		if sent, err := in.First().Mail.Deliver(context.Background()); sent != 0 || err != nil {
			t.Errorf("%d sent: %v", sent, err)
		}
		if waiting := in.Column("SELECT id FROM outbox"); len(waiting) != 0 {
			t.Errorf("%d wait for nobody", len(waiting))
		}
		in.Change("UPDATE installation SET mails = TRUE")
		if err := in.First().Mail.Announce(context.Background()); err != nil {
			t.Fatal(err)
		}
		happens(t, in, id)
		if waiting := in.Column("SELECT id FROM outbox"); len(waiting) != 0 {
			t.Errorf("%d wait for nobody", len(waiting))
		}
	})
}

// TestTwoInstancesSendEachMailOnce lets them take turns over the same outbox.
func TestTwoInstancesSendEachMailOnce(t *testing.T) {
	t.Parallel()
	in := servertest.OnPostgres(t, mails)
	in.Another()
	const people = 40
	for n := range people {
		happens(t, in, in.AddPerson("Ada", string(rune('a'+n%26))+string(rune('a'+n/26))+"@example.test", "member"))
	}
	sent := make([]int, 4)
	servertest.Together(len(sent), func(n int) {
		// Whoever loses a race for a mail finds none that moment, and looks again later.
		for range people {
			took, err := in.Instances[n%2].Mail.Deliver(context.Background())
			if err != nil {
				t.Error(err)
			}
			sent[n] += took
		}
	})
	letters := in.Mailbox.Take()
	seen := map[string]bool{}
	for _, letter := range letters {
		seen[letter.To] = true
	}
	if len(letters) != people || len(seen) != people {
		t.Errorf("%d mails to %d people, want %d: %v", len(letters), len(seen), people, sent)
	}
}

// TestMailServerDiesMidMail: the mail is sent again, and is known as the same one.
func TestMailServerDiesMidMail(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		happens(t, in, in.AddPerson("Ada", ada, "administrator"))
		in.Mailbox.Drop(2)
		untold(t, in)
		untold(t, in) // it waits
		in.Clock.Advance(time.Minute)
		untold(t, in)
		in.Clock.Advance(time.Minute)
		untold(t, in) // twice as long
		in.Clock.Advance(time.Minute)
		told(t, in, ada, "Your password was changed")
		in.Clock.Advance(24 * time.Hour)
		untold(t, in)
		if log := in.First().Log.String(); !strings.Contains(log, "a mail waits") || strings.Contains(log, ada) {
			t.Errorf("the log: %s", log)
		}
	}, mails)
}

// TestMailServerDiesBeforeItsAnswer: it has the whole mail and hangs up before it says so. Nobody can know, so the mail is
// sent again, later each time, and its Message-Id tells the mailbox that it is the same one. Then it is over.
func TestMailServerDiesBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		happens(t, in, in.AddPerson("Ada", ada, "administrator"))
		in.Mailbox.Lose(2)
		ids := map[string]bool{}
		for _, pause := range []time.Duration{0, time.Minute, 2 * time.Minute} {
			in.Clock.Advance(pause)
			ids[told(t, in, ada, "Your password was changed").Header.Get("Message-Id")] = true
			untold(t, in)
		}
		if len(ids) != 1 {
			t.Errorf("one mail has the ids %v", ids)
		}
		in.Clock.Advance(24 * time.Hour)
		untold(t, in)
		if sent := in.Column("SELECT tries FROM outbox WHERE sent_at IS NOT NULL AND problem = ''"); len(sent) != 1 || sent[0] != "3" {
			t.Errorf("tries of what was sent: %v", sent)
		}
	}, mails)
}

// TestMailServerDiesBeforeItsGreeting: it takes connections and hangs up without a word, as one does that starts. One
// mail finds that out, all wait, and nobody who signs in meanwhile notices.
func TestMailServerDiesBeforeItsGreeting(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		mute, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		called := make(chan struct{}, 9)
		go func() {
			for {
				conn, err := mute.Accept()
				if err != nil {
					return
				}
				called <- struct{}{}
				_ = conn.Close()
			}
		}()
		speaks := in.Mailbox.Server.Port
		in.Mailbox.Server.Port = mute.Addr().(*net.TCPAddr).Port
		enrolled := in.Protected(ada, "administrator")
		happens(t, in, in.AddPerson("Bob", bob, "member"))
		untold(t, in)
		in.SignedIn(ada, enrolled, servertest.Safari).Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		mute.Close()
		if n := len(called); n != 1 {
			t.Errorf("called %d times in one round", n)
		}
		in.Mailbox.Server.Port = speaks
		in.Clock.Advance(time.Minute)
		subjects := map[string]int{}
		for _, letter := range in.Mails() {
			subjects[letter.To+": "+letter.Subject]++
		}
		if subjects[bob+": Your password was changed"] != 1 || subjects[ada+": 2-step verification is on"] != 1 {
			t.Errorf("arrived: %v", subjects)
		}
	}, mails)
}

// TestInstanceDiesWithMail: what it had claimed is sent by another, once the claim is over.
func TestInstanceDiesWithMail(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		happens(t, in, in.AddPerson("Ada", ada, "administrator"))
		in.Change("UPDATE outbox SET tries = 1, claimed_until = ?", in.Clock.Now().Add(2*time.Minute).UnixMilli())
		untold(t, in)
		in.Clock.Advance(2 * time.Minute)
		id := in.Column("SELECT id FROM outbox")[0]
		if letter := told(t, in, ada, "Your password was changed"); letter.Header.Get("Message-Id") != "<"+id+"@example.test>" {
			t.Errorf("message id %s", letter.Header.Get("Message-Id"))
		}
	}, mails)
}

// TestGivenUpAfterThreeDays: it is tried until then, ever more seldom, and what became of it is on record.
func TestGivenUpAfterThreeDays(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		happens(t, in, in.AddPerson("Ada", ada, "administrator"))
		tries := 0
		in.Mailbox.Answer(func(to string) error {
			tries++
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "Mailbox of " + to + " is busy"}
		})
		begun := in.Clock.Now()
		for len(in.Column("SELECT id FROM outbox WHERE given_up_at IS NULL")) > 0 {
			untold(t, in)
			in.Clock.Advance(time.Minute)
			if in.Clock.Now().Sub(begun) > 4*24*time.Hour {
				t.Fatal("it is not given up")
			}
		}
		if lasted := in.Clock.Now().Sub(begun); lasted < 72*time.Hour || lasted > 73*time.Hour {
			t.Errorf("given up after %s", lasted)
		}
		if tries < 15 || tries > 25 {
			t.Errorf("%d tries", tries)
		}
		if problem := in.Column("SELECT problem FROM outbox")[0]; !strings.Contains(problem, "450 4.2.0 Mailbox of … is busy") || strings.ContainsAny(problem, "@\r\n") {
			t.Errorf("problem %q", problem)
		}
		if facts := in.Column("SELECT data FROM events WHERE kind = 'mail.given_up'"); len(facts) != 1 || facts[0] != `{"mail":"password_changed"}` {
			t.Errorf("on record: %q", facts)
		}
		if log := in.First().Log.String(); !strings.Contains(log, "a mail was given up") || strings.Contains(log, ada) {
			t.Errorf("the log: %s", log)
		}
		in.Mailbox.Answer(nil)
		untold(t, in)
		in.Clock.Advance(31 * 24 * time.Hour)
		if _, err := in.First().Upkeep.Once(context.Background()); err != nil {
			t.Fatal(err)
		}
		if kept := in.Column("SELECT id FROM outbox"); len(kept) != 0 {
			t.Errorf("%d mails are kept for ever", len(kept))
		}
	}, mails)
}

// TestOneMailboxIsInNobodysWay: a refused mailbox waits alone, while a mail server that is down ends the round.
func TestOneMailboxIsInNobodysWay(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		happens(t, in, in.AddPerson("Ada", ada, "administrator"))
		in.Clock.Advance(time.Millisecond)
		happens(t, in, in.AddPerson("Bob", bob, "member"))
		in.Mailbox.Answer(func(to string) error {
			if to == ada {
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "Nobody here"}
			}
			return nil
		})
		told(t, in, bob, "Your password was changed")
		in.Mailbox.Answer(nil)
		happens(t, in, in.Column("SELECT id FROM users WHERE email = ?", bob)[0])
		in.Clock.Advance(time.Minute)
		in.Mailbox.Drop(1)
		untold(t, in) // the other was not tried
		if tried := in.Column("SELECT id FROM outbox WHERE sent_at IS NULL AND tries = 1"); len(tried) != 2 {
			t.Errorf("%d were tried once: the other is not to be tried while it is down", len(tried))
		}
	}, mails)
}

// TestMailServerIsABlackHole is rows 74 and 79: it takes the connection and never says a word. People sign in meanwhile, and
// a stop waits for nothing.
func TestMailServerIsABlackHole(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		hole, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer hole.Close()
		in.Mailbox.Server.Port = hole.Addr().(*net.TCPAddr).Port
		enrolled := in.Protected(ada, "administrator")

		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			_, err := in.First().Mail.Deliver(ctx)
			ended <- err
		}()
		conn, err := hole.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		in.SignedIn(ada, enrolled, servertest.Safari).Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(7 * time.Second): // less than its patience with a mail server
			t.Fatal("a stop waits for the mail server")
		}
		// The claim is given back: nothing was tried.
		if free := in.Column("SELECT id FROM outbox WHERE tries = 0 AND claimed_until = 0"); len(free) != 2 {
			t.Errorf("%d mails are free", len(free))
		}
	}, mails)
}

// TestPanicEndsNothing is row 79.
func TestPanicEndsNothing(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t, mails)
	id := in.AddPerson("Ada", ada, "administrator")
	record(t, in, audit.Event{Actor: id, Method: "backup_code"}.About(id).Is(audit.ProofGiven, audit.OK))
	count := in.First().Mail.CodesLeft
	in.First().Mail.CodesLeft = func(context.Context, string) (int, bool, error) { panic("nothing adds up") }
	untold(t, in)
	happens(t, in, in.AddPerson("Bob", bob, "member"))
	told(t, in, bob, "Your password was changed")
	in.First().Mail.CodesLeft = func(context.Context, string) (int, bool, error) { return 0, false, errors.New("nothing to count") }
	in.Clock.Advance(time.Minute)
	untold(t, in)
	in.First().Mail.CodesLeft = count
	in.Clock.Advance(2 * time.Minute)
	says(t, told(t, in, ada, "A backup code was used"), "It was the last one.", "Make new ones")
}

// TestKeep: the loop beside the requests sends what is due though a mail before it panics, and ends when it is told to.
func TestKeep(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t, mails)
	id := in.AddPerson("Ada", ada, "administrator")
	record(t, in, audit.Event{Actor: id, Method: "backup_code"}.About(id).Is(audit.ProofGiven, audit.OK))
	in.First().Mail.CodesLeft = func(context.Context, string) (int, bool, error) { panic("nothing adds up") }
	happens(t, in, in.AddPerson("Bob", bob, "member"))
	asked := make(chan string, 2)
	in.Mailbox.Answer(func(to string) error { asked <- to; return nil })
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); in.First().Mail.Keep(ctx) }()
	if to := <-asked; to != bob {
		t.Errorf("a mail to %s", to)
	}
	stop()
	<-ended
	if log := in.First().Log.String(); !strings.Contains(log, "panic while a mail was sent") || !strings.Contains(log, "CodesLeft") && !strings.Contains(log, "deliver_test.go") {
		t.Errorf("the log: %s", log)
	}
}

// TestBudgets is row 47: of one kind an address is sent 5 within an hour, of all kinds 20; what is over is in the events.
// What tells that an account is being taken is no part of the 20: noise can't hide it (row 73).
func TestBudgets(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		kinds := []string{
			audit.EmailAsked, audit.FactorSuspect, audit.BackupCodesVoided, audit.EmailStopped, audit.AlarmRaised, audit.ResetStopped,
		}
		pressing := []string{audit.AppReplaced, audit.AppAdded, audit.BackupCodesActivated}
		kinds = append(kinds, pressing...)
		for n, kind := range kinds {
			for range 9 {
				record(t, in, audit.Event{Actor: id, Browser: "Firefox on Linux"}.About(id).Is(kind, audit.OK))
			}
			want := max(0, min(5, 20-5*n))
			if slices.Contains(pressing, kind) {
				want = 5
			}
			if sent := len(in.Mails()); sent != want {
				t.Errorf("%s: %d mails, want %d", kind, sent, want)
			}
		}
		if events := in.Column("SELECT id FROM events"); len(events) != 9*len(kinds) {
			t.Errorf("%d events", len(events))
		}
		happens(t, in, in.AddPerson("Bob", bob, "member"))
		told(t, in, bob, "Your password was changed") // another mailbox
		in.Clock.Advance(61 * time.Minute)
		happens(t, in, id)
		told(t, in, ada, "Your password was changed")
	}, mails)
}

// TestNamesAreOnlyNames is row 74: what somebody is called is text, in HTML too, and begins no header.
func TestNamesAreOnlyNames(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		// No call lets such a name in; a database may have it all the same.
		in.Change("UPDATE users SET name = ?", "<b>Ada</b>\r\nBcc: eve@example.test\r\n\r\n<script>x</script>\u001b[31m{brand}")
		record(t, in, audit.Event{Actor: id, Browser: "<i>Fire\r\nfox</i>", Address: "192.0.2.7"}.About(id).Is(audit.PasswordChanged, audit.OK))
		letter := told(t, in, ada, "Your password was changed")
		if letter.Header.Get("Bcc") != "" || strings.Contains(letter.Text, "\nBcc") || strings.Contains(letter.Text+letter.HTML, "\u001b") {
			t.Errorf("a name is more than a name: %s", letter.Raw)
		}
		if strings.Contains(letter.HTML, "<b>Ada") || strings.Contains(letter.HTML, "<script") || strings.Contains(letter.HTML, "<i>") || !strings.Contains(letter.HTML, "&lt;b&gt;Ada&lt;/b&gt;") {
			t.Errorf("a name is HTML: %s", letter.HTML)
		}
	}, mails)
}

// TestAddressOnRecord is row 73: a mail goes where the person was to be reached when it happened.
func TestAddressOnRecord(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		id := in.AddPerson("Ada", ada, "administrator")
		happens(t, in, id)
		in.Change("UPDATE users SET email = 'new@example.test', email_key = 'new@example.test' WHERE id = ?", id)
		told(t, in, ada, "Your password was changed")
	}, mails)
}

// TestLinksStay is row 55: no header of anybody's moves a link in a mail.
func TestLinksStay(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", ada, "administrator")
		browser := in.Browser(servertest.Firefox)
		for _, header := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-Host"} {
			browser.Header.Set(header, "host=evil.example.test")
		}
		browser.Password(ada).Want(http.StatusOK)
		in.Enrol(browser)
		letter := told(t, in, ada, "2-step verification is on")
		if strings.Contains(letter.Raw, "evil") || strings.Count(letter.HTML, "href=") != strings.Count(letter.HTML, `href="`+notMe+`"`) {
			t.Errorf("links lead astray: %s", letter.HTML)
		}
	}, mails)
}
