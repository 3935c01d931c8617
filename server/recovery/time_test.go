package recovery_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// TestWhatIsOverIsNotShown: a request is over at the second, in every browser and at the sign-in, and not when the job comes by.
func TestWhatIsOverIsNotShown(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		w.asked(mia)
		in.Clock.Advance(24*time.Hour - time.Minute)
		signedIn := in.Browser(servertest.Firefox)
		in.Change("UPDATE users SET requirement = 'off' WHERE email = ?", mia) // no second step, which would end it
		signedIn.Password(mia).Want(http.StatusOK)
		in.Change("UPDATE users SET requirement = 'allowed' WHERE email = ?", mia)
		asking := halfway(in, mia)
		tells := func(want string) {
			t.Helper()
			if got := signedIn.Do("GET", "/api/v1/session", nil).Want(200).Text("recovery"); got != want {
				t.Errorf("the session says %q, want %q", got, want)
			}
			if got := asking.Do("GET", "/api/v1/sign-in", nil).Want(200).Body["recovery"]; want == "" && got != nil || want != "" && got != want {
				t.Errorf("the sign-in says %v, want %q", got, want)
			}
			if shown := signedIn.Do("GET", own, nil).Want(200).Body["recovery"]; (shown != nil) != (want != "") {
				t.Errorf("shown: %v", shown)
			}
		}
		tells("asked")
		in.Clock.Advance(time.Minute - time.Millisecond)
		tells("asked")
		in.Clock.Advance(time.Millisecond)
		tells("")
		if got := w.state(mia); got != "asked" {
			t.Errorf("the job came by: %s", got)
		}
		ask(asking).Want(200) // and another one is asked for
		tells("asked")
	}, withMail)
}

// TestWhatIsBegunIsFinished: whoever has begun to enrol before the link's 72 hours are over has the enrolment's own time to
// finish, and no more; whoever has not is out at the second.
func TestWhatIsBegunIsFinished(t *testing.T) {
	// almost leads to an enrolment that is begun a minute before the end.
	almost := func(t *testing.T, in *servertest.Installation) (w *world, browser *servertest.Client, id string, phone *servertest.Phone) {
		w = people(t, in, boss)
		_, link, _ := w.approved(mia, boss)
		in.Clock.Advance(72*time.Hour - 5*time.Minute)
		browser = halfway(in, mia)
		redeem(browser, link).Want(http.StatusOK)
		in.Clock.Advance(4 * time.Minute)
		begun := browser.Do("POST", servertest.Enrolments, body{}).Want(http.StatusCreated)
		return w, browser, begun.Text("id"), in.Scan(begun.Text("secret"))
	}
	work := func(t *testing.T, in *servertest.Installation) {
		t.Helper()
		if _, err := in.First().Upkeep.Once(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("finished", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			in.Beside()
			w, browser, id, phone := almost(t, in)
			in.Clock.Advance(9 * time.Minute)
			work(t, in)
			browser.Confirm(id, phone.Code()).Want(http.StatusOK)
			for range 3 { // looking now and then, as one does who writes down codes
				in.Clock.Advance(20*time.Minute - time.Second)
				work(t, in)
				browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			}
			browser.Do("POST", servertest.Enrolments+"/"+id+"/activate", nil).Want(http.StatusOK)
			if got := w.state(mia); got != "done" {
				t.Errorf("%s", got)
			}
		}, withMail)
	})
	t.Run("too slow", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w, browser, id, phone := almost(t, in)
			browser.Confirm(id, phone.Code()).Want(http.StatusOK)
			for range 3 {
				in.Clock.Advance(23 * time.Minute)
				browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			}
			in.Clock.Advance(time.Minute)
			browser.Do("POST", servertest.Enrolments+"/"+id+"/activate", nil).Refused(401, "session_ended")
			work(t, in)
			if got := w.state(mia); got != "expired" {
				t.Errorf("%s", got)
			}
			if apps := in.Column("SELECT id FROM totp_apps WHERE user_id = ?", w.id(mia)); len(apps) != 1 || apps[0] != w.apps[mia].ID {
				t.Errorf("the apps are %v", apps)
			}
		}, withMail)
	})
	t.Run("stopped meanwhile", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w, browser, id, phone := almost(t, in)
			in.Clock.Advance(5 * time.Minute)
			browser.Confirm(id, phone.Code()).Want(http.StatusOK)
			in.Clock.NextStep()
			w.in(mia) // with a factor of before
			browser.Do("POST", servertest.Enrolments+"/"+id+"/activate", nil).Refused(401, "session_ended")
			if got := w.state(mia); got != "cancelled" {
				t.Errorf("%s", got)
			}
		}, withMail)
	})
	t.Run("not begun", func(t *testing.T) {
		servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
			w := people(t, in, boss)
			_, link, _ := w.approved(mia, boss)
			in.Clock.Advance(72*time.Hour - 5*time.Minute)
			browser := halfway(in, mia)
			redeem(browser, link).Want(http.StatusOK)
			in.Clock.Advance(5*time.Minute - time.Millisecond)
			browser.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
			in.Clock.Advance(time.Millisecond)
			browser.Do("POST", servertest.Enrolments, body{}).Refused(401, "session_ended")
		}, withMail)
	})
}
