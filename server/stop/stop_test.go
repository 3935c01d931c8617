package stop_test

import (
	"bytes"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]any

const (
	ada = "ada@example.test"
	ann = "ann@example.test"
	own = "/api/v1/users/me/email"
)

var tokenOf = regexp.MustCompile(`/(email|stop|enrol)#token=([A-Za-z0-9_-]{43})`)

// mailed answers the token of the last link to the page that came to the address, and the subjects of all that came.
func mailed(in *servertest.Installation, to, page string) (token string, subjects map[string][]string) {
	subjects = map[string][]string{}
	for _, letter := range in.Mails() {
		subjects[letter.To] = append(subjects[letter.To], letter.Subject)
		if found := tokenOf.FindStringSubmatch(letter.Text); letter.To == to && found != nil && found[1] == page {
			token = found[2]
		}
	}
	return token, subjects
}

func moved(t *testing.T, in *servertest.Installation, browser *servertest.Client, from, to string) (stop string) {
	t.Helper()
	browser.Do("POST", own, body{"email": to}).Want(200)
	token, _ := mailed(in, to, "email")
	browser.Do("POST", own+"/confirm", body{"token": token}).Want(200)
	stop, _ = mailed(in, from, "stop")
	if stop == "" {
		t.Fatalf("%s can't stop it", from)
	}
	return stop
}

func pressed(in *servertest.Installation, token string) *servertest.Answer {
	return in.Browser(servertest.Safari).Do("POST", "/api/v1/stop", body{"token": token})
}

func look(in *servertest.Installation, token string) *servertest.Answer {
	return in.Browser(servertest.Safari).Do("POST", "/api/v1/stop/link", body{"token": token})
}

func addressOf(in *servertest.Installation, id string) string {
	return in.Column("SELECT email FROM users WHERE id = ?", id)[0]
}

// An address that somebody else has changed is put back by one press, for 7 days, and all that is open ends.
func TestAnAddressIsPutBack(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		id := in.Column("SELECT id FROM users")[0]
		thief := in.SignedIn(ada, app, servertest.Firefox)
		in.Mails()
		stop := moved(t, in, thief, ada, ann)
		thief.Do("POST", own, body{"email": "third@example.test"}).Want(200)
		waiting, _ := mailed(in, "third@example.test", "email")
		half := in.Browser(servertest.Safari)
		half.Password(ann).Want(200)

		in.Clock.Advance(7*24*time.Hour - 5*time.Minute)
		thief = in.SignedIn(ann, app, servertest.Firefox)
		half.Password(ann).Want(200)
		// Row 73: the address of before is told of what happens next.
		in.Mails()
		thief.Do("POST", servertest.Security+"/disable", body{"password": servertest.Password}).Want(200)
		_, came := mailed(in, "", "")
		for _, address := range []string{ada, ann} {
			if !slices.Equal(came[address], []string{"2-step verification was turned off"}) {
				t.Errorf("%s was told %q", address, came[address])
			}
		}
		for _, none := range []string{"", "x", stop + "x", waiting} {
			look(in, none).Refused(410, "stop_link_expired")
			pressed(in, none).Refused(410, "stop_link_expired")
		}
		told := look(in, stop).Want(200)
		if told.Text("kind") != "email" || told.Text("email") != ada {
			t.Errorf("%s", told.Raw)
		}
		done := pressed(in, stop).Want(200)
		if done.Body["restored"] != true || addressOf(in, id) != ada {
			t.Errorf("%s", done.Raw)
		}
		if len(done.Header["Set-Cookie"]) > 0 {
			t.Error("it signs somebody in")
		}
		pressed(in, stop).Refused(410, "stop_link_expired")
		look(in, stop).Refused(410, "stop_link_expired")
		thief.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
		if open := in.Column("SELECT id FROM pending_sign_ins"); len(open) != 0 {
			t.Errorf("%d sign-ins are open", len(open))
		}
		if left := in.Column("SELECT email FROM email_changes"); len(left) != 0 {
			t.Errorf("%v waits", left)
		}
		_, came = mailed(in, "", "")
		if !slices.Equal(came[ada], []string{"The change of your address was stopped"}) || len(came[ann]) != 0 {
			t.Errorf("%v", came)
		}
		in.Browser(servertest.Firefox).Password(ada).Want(200)
		if events := in.Column("SELECT data FROM events WHERE kind = 'email.stopped' AND actor_id IS NULL AND subject_id = ?", id); len(events) != 1 || events[0] != `{"restored":true}` {
			t.Errorf("%v", events)
		}
	}, servertest.Options{Mail: true})
}

// It is good for 7 days, and the address of before is told for as long; then it is nobody's any more.
func TestItEndsAfterAWeek(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		stop := moved(t, in, in.SignedIn(ada, app, servertest.Firefox), ada, ann)
		in.Clock.Advance(7 * 24 * time.Hour)
		look(in, stop).Refused(410, "stop_link_expired")
		pressed(in, stop).Refused(410, "stop_link_expired")
		browser := in.SignedIn(ann, app, servertest.Firefox)
		browser.Do("POST", servertest.Security+"/disable", body{"password": servertest.Password}).Want(200)
		if _, came := mailed(in, "", ""); len(came[ada]) != 0 || len(came[ann]) == 0 {
			t.Errorf("%v", came)
		}
	}, servertest.Options{Mail: true})
}

// Whoever came between does not put themself back: the link of the first change voids those of the later ones, and a
// later one leaves the first.
func TestTheEarliestAddressWins(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		id := in.Column("SELECT id FROM users")[0]
		browser := in.SignedIn(ada, app, servertest.Firefox)
		first := moved(t, in, browser, ada, ann)
		in.Clock.Advance(time.Minute)
		second := moved(t, in, browser, ann, "third@example.test")
		pressed(in, second).Want(200)
		if addressOf(in, id) != ann {
			t.Errorf("%s", addressOf(in, id))
		}
		browser = in.SignedIn(ann, app, servertest.Firefox)
		in.Clock.Advance(time.Minute)
		third := moved(t, in, browser, ann, "fourth@example.test")
		pressed(in, first).Want(200)
		pressed(in, third).Refused(410, "stop_link_expired")
		if addressOf(in, id) != ada {
			t.Errorf("%s", addressOf(in, id))
		}
	}, servertest.Options{Mail: true})
}

// Where the address of before is somebody else's by now, everything ends all the same.
func TestAnAddressThatIsGone(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		browser := in.SignedIn(ada, app, servertest.Firefox)
		stop := moved(t, in, browser, ada, ann)
		in.AddPerson("New Ada", ada, "member")
		if done := pressed(in, stop).Want(200); done.Body["restored"] != false {
			t.Errorf("%s", done.Raw)
		}
		browser.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	}, servertest.Options{Mail: true})
}

// However many mails an address has had, what stops a change reaches it: else the thief would cause the others first.
func TestAFloodDoesNotHideIt(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		browser := in.SignedIn(ada, app, servertest.Firefox)
		in.Mails()
		in.Change("UPDATE outbox SET address = ?", ada)
		for kind := range 5 {
			for range 5 {
				in.Change(`INSERT INTO outbox (id, user_id, address, name, kind, facts, at, created_at, due_at, next_at, sent_at)
					SELECT CAST(count(*) AS TEXT), '', ?, '', ?, '{}', max(at), max(created_at), max(due_at), max(next_at), max(at) FROM outbox`,
					ada, []string{"a", "b", "c", "d", "e"}[kind])
			}
		}
		moved(t, in, browser, ada, ann)
	}, servertest.Options{Mail: true})
}

// A reset is told with what stops it: the enrolment link is void then, what it has opened ends, and nothing comes back.
func TestAResetIsStopped(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		bossApp := in.Protected("boss@example.test", "administrator")
		boss := in.SignedIn("boss@example.test", bossApp, servertest.Firefox)
		id := in.Column("SELECT id FROM users WHERE email = ?", ada)[0]
		in.Mails()
		reset := func() (stop, enrol string) {
			in.Clock.NextStep()
			boss.Do("POST", "/api/v1/users/"+id+"/security/reset", body{"password": servertest.Password, "code": bossApp.Code(), "reason": "Lost."}).Want(200)
			for _, letter := range in.Mails() {
				if found := tokenOf.FindStringSubmatch(letter.Text); letter.To == ada && found != nil {
					if found[1] == "stop" {
						stop = found[2]
					} else {
						enrol = found[2]
					}
				}
			}
			if stop == "" || enrol == "" {
				t.Fatal("no link came")
			}
			return stop, enrol
		}
		replaced, _ := reset()
		stop, enrol := reset()
		pressed(in, replaced).Refused(410, "stop_link_expired")
		redeem := func(token string) *servertest.Answer {
			browser := in.Browser(servertest.Safari)
			browser.Password(ada).Want(200)
			return browser.Do("POST", "/api/v1/sign-in/enrolment-link", body{"token": token})
		}
		thief := in.Browser(servertest.Safari)
		thief.Password(ada).Want(200)
		thief.Do("POST", "/api/v1/sign-in/enrolment-link", body{"token": enrol}).Want(200)
		if told := look(in, stop).Want(200); told.Text("kind") != "reset" || told.Text("email") != ada {
			t.Errorf("%s", told.Raw)
		}
		pressed(in, stop).Want(200)
		pressed(in, stop).Refused(410, "stop_link_expired")
		thief.Do("POST", servertest.Enrolments, body{}).Refused(401, "session_ended")
		redeem(enrol).Refused(410, "enrolment_link_expired")
		if _, came := mailed(in, "", ""); !slices.Contains(came[ada], "The reset was stopped") {
			t.Errorf("%v", came)
		}
		back := in.Browser(servertest.Firefox)
		if state := back.Password(ada).Want(200).Text("state"); state != "enrolment_link_required" {
			t.Errorf("%s", state)
		}
		back.Code(app.Code()).Refused(403, "enrolment_link_required")
		if seen := boss.Do("GET", "/api/v1/users/"+id+"/security/events", nil).Want(200); !bytes.Contains(seen.Raw, []byte("mfa.reset_stopped")) {
			t.Errorf("an administrator is not told: %s", seen.Raw)
		}

		stop, enrol = reset()
		unused := in.Browser(servertest.Safari)
		unused.Password(ada).Want(200)
		unused.Do("POST", "/api/v1/sign-in/enrolment-link", body{"token": enrol}).Want(200)
		in.Enrol(unused)
		pressed(in, stop).Refused(410, "stop_link_expired") // there is nothing left to stop
		unused.Do("GET", "/api/v1/session", nil).Want(200)
	}, servertest.Options{Mail: true})
}

// Row 80: one press of many counts.
func TestRow80OnePress(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		app := in.Protected(ada, "member")
		stop := moved(t, in, in.SignedIn(ada, app, servertest.Firefox), ada, ann)
		in.Only(200, in.Race(20, in.Browser(servertest.Safari), func(_ int, c *servertest.Client) (*servertest.Answer, error) {
			return c.Try("POST", "/api/v1/stop", body{"token": stop})
		}))
		if events := in.Column("SELECT id FROM events WHERE kind = 'email.stopped'"); len(events) != 1 {
			t.Errorf("%d events", len(events))
		}
	}, servertest.Options{Mail: true})
}
