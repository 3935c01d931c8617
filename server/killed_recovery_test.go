package server_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/servertest"
)

// recovering is an installation in which Bob asks to get back in and Ada decides. No mail leaves it, so the link is in her
// answer.
type recovering struct {
	*journey
	data       string
	bob        *servertest.Client
	bobID      string
	ticket     string
	adas, bobs *watch
}

const decisionBody = `{"approve":true,"checked":["Met in person."],"reason":"Lost the phone."}`

// onto lets the browsers go on with the server of now.
func (r *recovering) onto() {
	r.bob = r.bob.On(&servertest.Instance{URL: r.process.URL})
}

// crash kills the server between two steps.
func (r *recovering) crash() {
	r.t.Helper()
	r.journey.crash()
	r.onto()
}

// later lets the waiting period pass, and new codes show, without waiting for either.
func (r *recovering) later(period bool) {
	r.t.Helper()
	if err := r.process.stop(); err != nil {
		r.t.Fatal(err)
	}
	within(r.t, r.data, "", func(ctx context.Context, db *database.Database) {
		if err := db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			statements := []string{"UPDATE totp_apps SET last_step = 0", "DELETE FROM totp_spent_steps"}
			if period {
				statements = append(statements, "UPDATE recoveries SET proved_at = proved_at - 2 * 86400000, decidable_at = decidable_at - 2 * 86400000")
			}
			for _, statement := range statements {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			r.t.Fatal(err)
		}
	})
	r.adas.last, r.bobs.last = 0, 0
	r.process = r.restart()
	r.Client = r.Client.On(&servertest.Instance{URL: r.process.URL})
	r.onto()
}

// halfway gives Bob's password in a browser that is known from before.
func (r *recovering) halfway() {
	r.t.Helper()
	r.bob.Password(bobEmail).Want(http.StatusOK)
}

// newRecovering makes the two, protected, and signs Ada in.
func newRecovering(t *testing.T, data string) *recovering {
	t.Helper()
	r := &recovering{journey: &journey{t: t}, data: data}
	r.restart = func() *process { return serve(t, data) }
	r.process = r.restart()
	r.Client = servertest.Browse(t, servertest.Firefox, r.process.URL)
	r.setUp(r.process.token())
	r.adas = enrol(t, r.Client)
	add := program("user", "add", "--data", data, "--email", bobEmail, "--name", "Bob")
	add.Stdin = strings.NewReader(servertest.Password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r.bob = servertest.Browse(t, servertest.Safari, r.process.URL)
	r.bob.Password(bobEmail).Want(http.StatusOK)
	r.bobs = enrol(t, r.bob)
	r.bobID = r.bob.Do("GET", "/api/v1/session", nil).Body["user"].(map[string]any)["id"].(string)
	r.bob.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
	return r
}

func (r *recovering) ask() (*servertest.Answer, error) {
	return r.bob.Try("POST", "/api/v1/sign-in/recovery", map[string]any{"no_backup_codes": true, "no_other_browser": true})
}

func (r *recovering) decide() (*servertest.Answer, error) {
	return r.Try("POST", "/api/v1/tickets/"+r.ticket+"/decision", decisionBody)
}

// stands checks, from outside, how far it is.
func (r *recovering) stands(state string) {
	r.t.Helper()
	if told := r.Do("GET", "/api/v1/tickets/"+r.ticket+"/recovery", nil).Want(http.StatusOK); told.Text("state") != state {
		r.t.Fatalf("it is %s, want %s", told.Raw, state)
	}
}

// TestKilledWithinARecovery is issue 6, section 5: kill -9 between every two steps of a recovery loses nothing that was
// answered, and row 54: before the activation all of before is in force, and after it nothing is.
func TestKilledWithinARecovery(t *testing.T) {
	t.Parallel()
	r := newRecovering(t, t.TempDir())
	must := func(answer *servertest.Answer, err error) *servertest.Answer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer.Want(http.StatusOK)
	}
	r.halfway()
	r.crash()
	r.ticket = must(r.ask()).Text("id")
	r.crash()
	if again := must(r.ask()); again.Text("id") != r.ticket || again.Body["here"] != true {
		t.Errorf("%s", again.Raw)
	}
	r.crash()
	r.stands("proved")
	r.Do("POST", "/api/v1/tickets/"+r.ticket+"/decision", decisionBody).Refused(http.StatusConflict, "recovery_too_early")
	r.later(true)
	link := must(r.decide()).Text("enrolment_link")
	r.crash()
	r.stands("approved")
	r.Do("POST", "/api/v1/tickets/"+r.ticket+"/decision", decisionBody).Refused(http.StatusConflict, "recovery_changed")
	lost := link // its answer might have been lost: a new one takes its place
	r.Prove(r.adas.code()).Want(http.StatusOK)
	link = r.Do("POST", "/api/v1/tickets/"+r.ticket+"/link", nil).Want(http.StatusOK).Text("enrolment_link")
	r.crash()
	redeem := func(link string) *servertest.Answer {
		_, token, _ := strings.Cut(link, "#token=")
		return r.bob.Do("POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": token})
	}
	r.halfway()
	redeem(lost).Refused(http.StatusGone, "enrolment_link_expired")
	r.crash()
	redeem(link).Want(http.StatusOK)
	r.crash()
	r.stands("approved")
	begun := r.bob.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
	r.crash()
	app := newWatch(t, begun.Text("secret"))
	r.bob.Confirm(begun.Text("id"), app.code()).Want(http.StatusOK)
	r.crash()
	r.stands("approved")
	var before, apps int
	look := r.bob.Do("GET", servertest.Security, nil).Want(http.StatusOK)
	if state := look.Body["mfa"].(map[string]any)["state"]; state != "enrolling" {
		t.Errorf("%s", look.Raw)
	}
	r.bob.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/backup-codes", nil).Want(http.StatusOK)
	r.crash()
	r.bob.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Want(http.StatusOK)
	r.crash()
	r.stands("done")
	r.bob.Do("GET", servertest.Security, nil).Want(http.StatusOK)
	elsewhere := servertest.Browse(t, servertest.Safari, r.process.URL)
	elsewhere.Password(bobEmail).Want(http.StatusOK)
	elsewhere.Code(r.bobs.code()).Want(http.StatusUnprocessableEntity)
	elsewhere.Code(app.code()).Want(http.StatusOK)
	r.whole(r.data)
	ask(t, r.data, `SELECT (SELECT count(*) FROM totp_apps WHERE user_id = '`+r.bobID+`'), (SELECT count(*) FROM enrolment_links)`, &apps, &before)
	if apps != 1 || before != 0 {
		t.Errorf("%d apps, %d links", apps, before)
	}
}

// TestKilledWithinAStep: an approval and an activation that are killed at any moment have happened as a whole, on record, or
// not at all (rows 43, 54 and 72), and doing them again ends well.
func TestKilledWithinAStep(t *testing.T) {
	t.Parallel()
	const cookie = "secondstep_session"
	for _, step := range []string{"approval", "activation"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			r := newRecovering(t, t.TempDir())
			r.halfway()
			asked, err := r.ask()
			if err != nil {
				t.Fatal(err)
			}
			r.ticket = asked.Want(http.StatusOK).Text("id")
			r.later(true)
			activate := ""
			if step == "activation" {
				activate = r.untilActivation()
			}
			if err := r.process.stop(); err != nil {
				t.Fatal(err)
			}
			before, sessions := r.data, [2]string{r.Cookie(cookie), r.bob.Cookie(cookie)}
			came := map[bool]int{}
			for n := range 16 {
				r.data = copied(t, before)
				act := func() (*servertest.Answer, error) {
					browser := servertest.Browse(t, servertest.Firefox, r.process.URL)
					if step == "activation" {
						browser.Plant(cookie, sessions[1])
						return browser.Try("POST", activate, nil)
					}
					browser.Plant(cookie, sessions[0])
					return browser.Try("POST", "/api/v1/tickets/"+r.ticket+"/decision", decisionBody)
				}
				r.process = serve(t, r.data)
				killed := r.process.command
				timer := time.AfterFunc(time.Duration(n)*500*time.Microsecond, func() { _ = killed.Process.Kill() })
				answer, failed := act()
				timer.Stop()
				r.process.kill()
				did := r.all(step)
				if failed == nil && answer.Status == http.StatusOK && !did {
					t.Error("what was answered is not so")
				}
				came[did]++
				r.process = serve(t, r.data)
				if again, err := act(); err != nil || did == (again.Status == http.StatusOK) {
					t.Errorf("done: %t, and again: %v %+v", did, err, again)
				}
				if err := r.process.stop(); err != nil {
					t.Error(err)
				}
				if !r.all(step) {
					t.Error("it does not end well")
				}
			}
			if came[false] == 0 {
				t.Error("every step was quicker than its kill: nothing was tested")
			}
			t.Logf("of the kills %d came before it was done, %d after", came[false], came[true])
		})
	}
}

// untilActivation is everything before "I have saved them", and answers where that is said.
func (r *recovering) untilActivation() string {
	r.t.Helper()
	given, err := r.decide()
	if err != nil {
		r.t.Fatal(err)
	}
	_, token, _ := strings.Cut(given.Want(http.StatusOK).Text("enrolment_link"), "#token=")
	r.halfway()
	r.bob.Do("POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": token}).Want(http.StatusOK)
	begun := r.bob.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
	r.bob.Confirm(begun.Text("id"), newWatch(r.t, begun.Text("secret")).code()).Want(http.StatusOK)
	return servertest.Enrolments + "/" + begun.Text("id") + "/activate"
}

// all reads whether a step has happened, and fails the test where half of it has.
func (r *recovering) all(step string) bool {
	r.t.Helper()
	var state, mirror, ticket string
	var links, approved, completed, old, codes, confined int
	ask(r.t, r.data, `SELECT r.state, u.recovery, t.state, (SELECT count(*) FROM enrolment_links),
		(SELECT count(*) FROM events WHERE kind = 'recovery.approved'), (SELECT count(*) FROM events WHERE kind = 'recovery.completed'),
		(SELECT count(*) FROM totp_enrolments), (SELECT count(*) FROM backup_code_sets WHERE user_id = u.id AND activated_at IS NOT NULL AND retired_at IS NULL),
		(SELECT count(*) FROM sessions WHERE confined_to IS NOT NULL)
		FROM recoveries r JOIN users u ON u.id = r.user_id JOIN tickets t ON t.id = r.ticket_id`, &state, &mirror, &ticket, &links, &approved, &completed, &old, &codes, &confined)
	is := fmt.Sprintf("%s %q %s, %d links, on record %d and %d, %d begun, %d sets, %d sessions to enrol in", state, mirror, ticket, links, approved, completed, old, codes, confined)
	want := map[string]string{
		"approval no":    `proved "proved" open, 0 links, on record 0 and 0, 0 begun, 1 sets, 0 sessions to enrol in`,
		"approval yes":   `approved "approved" open, 1 links, on record 1 and 0, 0 begun, 1 sets, 0 sessions to enrol in`,
		"activation no":  `approved "approved" open, 0 links, on record 1 and 0, 1 begun, 1 sets, 1 sessions to enrol in`,
		"activation yes": `done "" solved, 0 links, on record 1 and 1, 0 begun, 1 sets, 0 sessions to enrol in`,
	}
	if is != want[step+" no"] && is != want[step+" yes"] {
		r.t.Errorf("half a step: %s", is)
	}
	return is == want[step+" yes"]
}
