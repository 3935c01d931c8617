package recovery_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestRefuse: one administrator is enough, at any time after the proof; it changes nothing and is told.
func TestRefuse(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss, other, third)
		browser, ticket, _ := w.proved(mia)
		if given := decide(w.in(boss), ticket, refusal).Want(200); given.Text("state") != "refused" {
			t.Errorf("%s", given.Raw)
		}
		if got := w.state(mia); got != "refused" {
			t.Errorf("%s", got)
		}
		if subjects, _ := letters(in); !slices.Contains(subjects[mia], "Your request to get back in was refused") {
			t.Errorf("mails: %v", subjects)
		}
		told := w.facts(boss, ticket)
		if why := told.Body["refused"].(body); why["reason"] != "Nobody answered the phone." || why["by"].(body)["id"] != w.id(boss) {
			t.Errorf("%s", told.Raw)
		}
		if strings.Contains(string(browser.Do("GET", path, nil).Want(200).Raw), "Nobody answered") {
			t.Error("whoever has the password reads the reason")
		}
		if got := warnings(told); slices.Contains(got, "refused_before") {
			t.Errorf("a request is no earlier one: %v", got)
		}
		in.Clock.Advance(time.Minute)
		second := ask(halfway(in, mia)).Want(200).Text("id")
		again := w.facts(boss, second)
		if earlier := again.Body["earlier"].([]any); len(earlier) != 1 || earlier[0].(body)["id"] != ticket {
			t.Errorf("%s", again.Raw)
		}
		if !slices.Contains(warnings(again), "refused_before") || !slices.Contains(warnings(again), "several_requests") {
			t.Errorf("%v", warnings(again))
		}
		for _, one := range again.Body["warnings"].([]any) {
			if one := one.(body); one["code"] == "several_requests" && one["at"] != told.Text("asked_at") {
				t.Errorf("another request at %v, and the one before was at %s", one["at"], told.Text("asked_at"))
			}
		}
	}, servertest.Options{Mail: true, Recovery: recovery.Settings{Approvals: 2}})
}

func warnings(facts *servertest.Answer) (codes []string) {
	for _, one := range facts.Body["warnings"].([]any) {
		codes = append(codes, one.(body)["code"].(string))
	}
	return codes
}

// TestWhatIsKnown: an administrator sees the request beside what the person usually does.
func TestWhatIsKnown(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		w := people(t, in, boss)
		_, ticket, _ := w.asked(mia)
		facts := w.facts(boss, ticket)
		known := facts.Body["known"].(body)
		if known["browser_seen"] != false || known["network_seen"] != true || known["sign_ins_90_days"] != 1.0 || known["last_second_step_at"] != nil {
			t.Errorf("%v", known)
		}
		if got := warnings(facts); !slices.Equal(got, []string{"new_browser"}) {
			t.Errorf("%v", got)
		}
		w.end(mia)
		in.Clock.Advance(time.Hour)
		w.in(mia)
		wrong := halfway(in, mia)
		for n := range 4 {
			wrong.Code(w.apps[mia].Wrong(n)).Want(422)
		}
		in.SetPassword(w.id(mia), servertest.Password)
		in.Change("UPDATE events SET address = '192.0.2.7' WHERE kind = 'sign_in.completed'")
		in.Change("INSERT INTO second_step_tries (user_id, window_started_at, in_a_row, locked_at) VALUES (?, 0, 50, 1) ON CONFLICT (user_id) DO UPDATE SET locked_at = 1", w.id(mia))
		in.Mails()
		_, ticket, _ = w.proved(mia)
		facts = w.facts(boss, ticket)
		if got := warnings(facts); !slices.Equal(got, []string{"password_changed", "codes_locked", "wrong_codes", "new_browser", "new_network", "several_requests"}) {
			t.Errorf("%v", got)
		}
		if facts.Body["known"].(body)["last_second_step_at"] == nil || facts.Text("proved_by") != "email" {
			t.Errorf("%s", facts.Raw)
		}
	}, withMail)
}

// TestChecklist: the installation's own lines, bounded and legible, and the default again.
func TestChecklist(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		w := people(t, in, boss)
		_, ticket, _ := w.proved(mia)
		browser := w.in(boss)
		change := func(lines []string) *servertest.Answer {
			return browser.Do("PATCH", "/api/v1/settings", body{"recovery_checklist": lines})
		}
		if got := browser.Do("GET", "/api/v1/settings", nil).Want(200); got.Body["recovery_checklist"] != nil {
			t.Errorf("%s", got.Raw)
		}
		for _, wrong := range [][]string{{""}, {"a\u202eb"}, {strings.Repeat("x", 201)}, slices.Repeat([]string{"x"}, 13)} {
			change(wrong).Refused(422, "invalid_input")
		}
		change([]string{" Met in person ", "Showed a badge"}).Want(200)
		change([]string{"Met in person", "Showed a badge"}).Want(200)
		if got := browser.Do("GET", "/api/v1/tickets/"+ticket+"/recovery", nil).Want(200).Texts("checklist"); !slices.Equal(got, []string{"Met in person", "Showed a badge"}) {
			t.Errorf("%v", got)
		}
		if got := change([]string{}).Want(200); got.Body["recovery_checklist"] != nil {
			t.Errorf("%s", got.Raw)
		}
		if got := in.Column("SELECT data FROM events WHERE kind = 'recovery_checklist.changed'"); len(got) != 2 {
			t.Errorf("%v", got)
		}
	}, withMail)
}
