package rollout_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/rollout"
	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]any

const (
	askPath  = "/api/v1/users/requirement"
	lookPath = askPath + "/look"
	runsPath = "/api/v1/roll-outs"
)

// administrator is one with 2-step verification and fresh proof, signed in.
func administrator(in *servertest.Installation, name string) (id string, browser *servertest.Client) {
	email := name + "@example.test"
	app := in.Protected(email, "administrator")
	return in.Column("SELECT id FROM users WHERE email = ?", email)[0], in.SignedIn(email, app, servertest.Firefox)
}

// crowd adds members without 2-step verification, in the order of their numbers.
func crowd(in *servertest.Installation, count int) []string {
	ids := make([]string, count)
	for n := range ids {
		ids[n] = in.AddPerson(fmt.Sprintf("Person %02d", n), fmt.Sprintf("p%02d@example.test", n), "member")
	}
	return ids
}

// seen looks, and makes what was looked at the confirmation of it.
func seen(boss *servertest.Client, asked body) (look *servertest.Answer, confirmed body) {
	look = boss.Do("POST", lookPath, asked).Want(200)
	confirmed = body{"seen": look.Body["people"]}
	for key, value := range asked {
		confirmed[key] = value
	}
	return look, confirmed
}

// begin confirms what was looked at, and answers the path of the run and its id.
func begin(boss *servertest.Client, asked body) (path, id string) {
	_, confirmed := seen(boss, asked)
	id = boss.Do("POST", askPath, confirmed).Want(202).Text("id")
	return runsPath + "/" + id, id
}

func work(t *testing.T, in *servertest.Instance) {
	t.Helper()
	if err := in.RollOuts.Work(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// figures are some of an answer's numbers, and who was left out.
func figures(answer *servertest.Answer, names ...string) string {
	said := make([]string, 0, len(names)+1)
	for _, name := range names {
		said = append(said, fmt.Sprint(answer.Body[name]))
	}
	for _, one := range answer.Body["left_out"].([]any) {
		left := one.(body)
		said = append(said, fmt.Sprintf("%v:%v", left["reason"], left["count"]))
	}
	return strings.Join(said, " ")
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func requirements(in *servertest.Installation, ids []string) []string {
	list := make([]string, len(ids))
	for n, id := range ids {
		list[n] = strings.Join(in.Column("SELECT requirement FROM users WHERE id = ?", id), "")
	}
	return list
}

func sets(in *servertest.Installation) int {
	return len(in.Column("SELECT id FROM events WHERE kind = 'requirement.set'"))
}

// A requirement for people who were chosen: told before, each with the event of one person alone, and who is left out
// and why (rows 58, 59, 71).
func TestSelection(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		bossID, boss := administrator(in, "boss")
		other := in.AddPerson("Other", "other@example.test", "administrator")
		people := crowd(in, 4)
		gone, already := people[2], people[3]
		in.Change("UPDATE users SET requirement = 'off' WHERE id = ?", already)
		ann := in.Browser(servertest.Safari)
		ann.Password("p00@example.test").Want(200)

		asked := body{"ids": append([]string{bossID, other}, people...), "requirement": "off", "reason": "No phones on the floor."}
		boss.Do("DELETE", "/api/v1/users/"+gone, nil).Want(204)
		look, confirmed := seen(boss, asked)
		want(t, "the look", figures(look, "people", "changed", "unchanged", "mailed", "mail"), "6 2 1 0 false administrator_never_off:2 removed:1")
		if events := sets(in); events != 0 {
			t.Errorf("a look has left %d events", events)
		}
		boss.Do("POST", askPath, body{"ids": people, "requirement": "off", "seen": 9}).Refused(422, "invalid_input") // without a reason
		confirmed["seen"] = 5
		boss.Do("POST", askPath, confirmed).Refused(409, "selection_changed")
		confirmed["seen"] = 6
		begun := boss.Do("POST", askPath, confirmed).Want(202)
		want(t, "begun", begun.Text("state")+" "+begun.Text("started_by"), "running Ada Admin")
		work(t, in.First())
		done := boss.Do("GET", runsPath+"/"+begun.Text("id"), nil).Want(200)
		want(t, "the end", figures(done, "state", "total", "done", "changed", "unchanged"), "done 6 6 2 1 administrator_never_off:2 removed:1")
		if got := requirements(in, people); !slices.Equal(got, []string{"off", "off", "", "off"}) {
			t.Errorf("%q", got)
		}
		if facts := in.Column("SELECT data FROM events WHERE kind = 'requirement.set' AND actor_id = ?", bossID); len(facts) != 2 || !strings.Contains(facts[0], "No phones on the floor.") {
			t.Errorf("%q", facts)
		}
		// Row 34: what was lowered ends what was open.
		ann.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
		if kinds := in.Column("SELECT kind FROM events WHERE kind LIKE 'roll_out.%' ORDER BY id"); !slices.Equal(kinds, []string{"roll_out.started", "roll_out.ended"}) {
			t.Errorf("%q", kinds)
		}

		// Oneself: raised, and not lowered.
		path, _ := begin(boss, body{"filter": body{"role": "administrator"}, "requirement": "required"})
		work(t, in.First())
		want(t, "raised", figures(boss.Do("GET", path, nil), "changed"), "2")
		path, _ = begin(boss, body{"ids": []string{bossID, other}, "requirement": "allowed"})
		work(t, in.First())
		want(t, "lowered", figures(boss.Do("GET", path, nil), "changed"), "1 own_requirement:1")
		if listed := boss.Do("GET", runsPath, nil).Want(200).Body["roll_outs"].([]any); len(listed) != 3 || listed[0].(body)["chosen"] != true {
			t.Errorf("%v", listed)
		}
	})
}

func TestWhoMayAsk(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		_, boss := administrator(in, "boss")
		in.AddPerson("Bare", "bare@example.test", "administrator")
		bare := in.Browser(servertest.Firefox)
		bare.Password("bare@example.test").Want(200)
		everybody := body{"filter": body{}, "requirement": "allowed", "seen": 9}
		bare.Do("POST", askPath, everybody).Refused(403, "own_mfa_first")
		bare.Do("POST", "/api/v1/protection/reminders", nil).Refused(403, "own_mfa_first")
		bare.Do("POST", runsPath+"/01JZZZZZZZZZZZZZZZZZZZZZZZ/stop", nil).Refused(403, "own_mfa_first")
		bare.Do("POST", "/api/v1/users/me/security/reminder", nil).Refused(403, "own_mfa_first")
		for _, wrong := range []body{
			{"requirement": "allowed", "seen": 9},
			{"ids": []string{"x"}, "filter": body{}, "requirement": "allowed", "seen": 9},
			{"filter": body{}, "requirement": "allowed", "deadline": "2099-01-01T00:00:00Z", "seen": 9},
		} {
			boss.Do("POST", askPath, wrong).Refused(422, "invalid_input")
		}
	})
}

const deadline = "2026-03-26T22:59:59Z"

func everybody(message ...string) body {
	if message == nil {
		message = []string{}
	}
	return body{"filter": body{}, "requirement": "required", "deadline": deadline, "roll_out": body{"message": message}}
}

// A roll-out is broken off in the middle and goes on elsewhere: nobody is asked or told twice, and nobody is forgotten
// (row 80).
func TestRow80ARollOutGoesOnAfterABreak(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		app := in.Protected("boss@example.test", "administrator")
		boss := in.SignedIn("boss@example.test", app, servertest.Firefox)
		people := crowd(in, 12)
		in.Change("UPDATE users SET requirement = 'off' WHERE id = ?", people[0])
		in.Change("UPDATE users SET requirement = 'required', deadline = ? WHERE id = ?", in.Clock.Now().Add(time.Hour).UnixMilli(), people[1])
		in.Change("UPDATE users SET disabled_at = 1 WHERE id = ?", people[2])
		in.Mails()
		look, confirmed := seen(boss, everybody("Ask <b>Ada</b>, room 12."))
		want(t, "the look", figures(look, "people", "changed", "unchanged", "mailed", "mail", "subject"), "13 11 1 10 true Turn on 2-step verification off:1")
		if text := look.Text("text"); !strings.Contains(text, "> Ask <b>Ada</b>, room 12.") || !strings.Contains(text, "26 March 2026, 22:59 UTC") {
			t.Error(text)
		}
		id := boss.Do("POST", askPath, confirmed).Want(202).Text("id")

		// Whoever has it dies after a few. Who comes now is not among those who were counted.
		a, b := in.On(0), in.On(1)
		if more, err := a.RollOuts.Step(context.Background(), id, 5); err != nil || !more {
			t.Fatal(more, err)
		}
		in.AddPerson("Late", "late@example.test", "member")
		want(t, "half", figures(boss.Do("GET", runsPath+"/"+id, nil), "state", "done"), "running 5 off:1")
		work(t, b) // the lease is not over
		want(t, "leased", figures(boss.Do("GET", runsPath+"/"+id, nil), "done"), "5 off:1")
		in.Clock.Advance(time.Minute)
		// Those who have the same few before them: one does them.
		servertest.Together(8, func(n int) {
			if _, err := in.On(n).RollOuts.Step(context.Background(), id, 3); err != nil {
				t.Error(err)
			}
		})
		in.Clock.Advance(time.Minute)
		work(t, b)
		done := boss.Do("GET", runsPath+"/"+id, nil).Want(200)
		want(t, "the end", figures(done, "state", "done", "changed", "unchanged", "mailed", "asked", "protected"), "done 13 11 1 10 12 1 off:1")
		if events := sets(in); events != 11 {
			t.Errorf("%d events", events)
		}
		if told := in.Column("SELECT DISTINCT user_id FROM outbox WHERE kind = 'roll_out'"); len(told) != 10 {
			t.Errorf("%d are told", len(told))
		}
		letters := in.Mails()
		for _, letter := range letters {
			if letter.Subject != "Turn on 2-step verification" || !strings.Contains(letter.HTML, "Ask &lt;b&gt;Ada&lt;/b&gt;, room 12.") || !strings.Contains(letter.Text, "Ask <b>Ada</b>, room 12.") {
				t.Errorf("%s: %s", letter.Subject, letter.Text)
			}
		}
		if len(letters) != 10 {
			t.Errorf("%d mails", len(letters))
		}

		// The same once more changes nothing and tells nobody.
		path, _ := begin(boss, everybody())
		work(t, a)
		want(t, "again", figures(boss.Do("GET", path, nil), "changed", "unchanged"), "1 12 off:1") // Late

		// Somebody enrols, and the days count it.
		in.Clock.Advance(24 * time.Hour)
		browser := in.Browser(servertest.Safari)
		browser.Password("p05@example.test").Want(200)
		in.Enrol(browser)
		boss = in.SignedIn("boss@example.test", app, servertest.Firefox)
		watched := boss.Do("GET", runsPath+"/"+id, nil).Want(200)
		want(t, "watched", figures(watched, "asked", "protected"), "12 2 off:1") // who has started it too
		if days := watched.Body["history"].([]any); len(days) != 2 || days[0].(body)["protected"] != 1.0 || days[1].(body)["protected"] != 2.0 {
			t.Errorf("%v", days)
		}
	}, servertest.Options{Mail: true})
}

// Whoever is no administrator any more asks nothing more (row 56), and what was restored does not go on.
func TestRow56ADemotionStopsIt(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		bossID, boss := administrator(in, "boss")
		_, second := administrator(in, "second")
		people := crowd(in, 6)
		path, id := begin(boss, body{"filter": body{"role": "member"}, "requirement": "required"})
		if more, err := in.First().RollOuts.Step(context.Background(), id, 2); err != nil || !more {
			t.Fatal(more, err)
		}
		second.Do("PATCH", "/api/v1/users/"+bossID, body{"role": "member"}).Want(204)
		in.Clock.Advance(time.Minute)
		work(t, in.First())
		said := second.Do("GET", path, nil).Want(200)
		want(t, "stopped", figures(said, "state", "stopped_for", "done"), "stopped not_permitted 2")
		if got := strings.Join(requirements(in, people), " "); got != "required required allowed allowed allowed allowed" {
			t.Error(got)
		}

		// Nor does whoever has lost 2-step verification of their own: they may not ask it of others.
		thirdID, third := administrator(in, "third")
		path, id = begin(third, body{"filter": body{"role": "member"}, "requirement": "required"})
		if more, err := in.First().RollOuts.Step(context.Background(), id, 2); err != nil || !more {
			t.Fatal(more, err)
		}
		in.Change("UPDATE users SET mfa_since = NULL WHERE id = ?", thirdID)
		in.Clock.Advance(time.Minute)
		work(t, in.First())
		want(t, "stopped", figures(second.Do("GET", path, nil), "state", "stopped_for"), "stopped not_permitted")

		// Stopped by hand, once.
		path, id = begin(second, body{"filter": body{"role": "member"}, "requirement": "required"})
		if more, err := in.First().RollOuts.Step(context.Background(), id, 3); err != nil || !more {
			t.Fatal(more, err)
		}
		second.Do("POST", path+"/stop", nil).Want(204)
		second.Do("POST", path+"/stop", nil).Refused(409, "roll_out_over")
		in.Clock.Advance(time.Minute)
		work(t, in.First())
		want(t, "stopped", figures(second.Do("GET", path, nil), "state", "stopped_for", "done"), "stopped administrator 3")

		path, _ = begin(second, body{"filter": body{"role": "member"}, "requirement": "required"})
		err := in.First().Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error { return rollout.AfterRestore(ctx, tx) })
		if err != nil {
			t.Fatal(err)
		}
		work(t, in.First())
		want(t, "restored", figures(second.Do("GET", path, nil), "state", "stopped_for", "done"), "stopped restored 0")
	})
}

// What an administrator writes stays text of theirs (row 74).
func TestRow74TheMessage(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		_, boss := administrator(in, "boss")
		for _, wrong := range []any{
			strings.Repeat("x", 1001), "a\u202eb", "\u200b", "a\r\nBcc: b",
		} {
			boss.Do("POST", lookPath, everybody(wrong.(string))).Refused(422, "invalid_input")
		}
		boss.Do("POST", lookPath, everybody(strings.Repeat("x", 500), "", " ", strings.Repeat("y", 499))).Want(200)
		for _, wrong := range []body{
			{"filter": body{}, "requirement": "allowed", "roll_out": body{"message": []string{}}},
			{"filter": body{}, "requirement": "required", "roll_out": body{"message": []string{}}},
			{"filter": body{}, "requirement": "required", "deadline": "2026-03-01T00:00:00Z", "roll_out": body{"message": []string{}}},
		} {
			boss.Do("POST", lookPath, wrong).Refused(422, "invalid_input")
		}
		// Without a mail server it works, and says so.
		look, confirmed := seen(boss, everybody("Hello"))
		want(t, "no mail", figures(look, "mail", "mailed", "text"), "false 0 ")
		begun := boss.Do("POST", askPath, confirmed).Want(202)
		work(t, in.First())
		done := boss.Do("GET", "/api/v1/roll-outs/"+begun.Text("id"), nil).Want(200)
		want(t, "nobody was told", figures(done, "state", "mailed"), "done 0")
	})
}

// Row 47: somebody is reminded once in 24 hours, whoever does it and however often.
func TestRow47Reminders(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		app := in.Protected("boss@example.test", "administrator")
		boss := in.SignedIn("boss@example.test", app, servertest.Firefox)
		bossID := in.Column("SELECT id FROM users")[0]
		people := crowd(in, 5)
		overdue, soon, later, invited, free := people[0], people[1], people[2], people[3], people[4]
		for id, until := range map[string]time.Duration{overdue: -time.Hour, soon: 6 * 24 * time.Hour, later: 30 * 24 * time.Hour, invited: -time.Hour} {
			in.Change("UPDATE users SET requirement = 'required', deadline = ? WHERE id = ?", in.Clock.Now().Add(until).UnixMilli(), id)
		}
		in.Change("UPDATE users SET password_hash = '' WHERE id = ?", invited)
		in.Mails()
		if due := boss.Do("GET", "/api/v1/users?protection=due", nil).Want(200); due.Body["total"] != 3.0 {
			t.Errorf("%s", due.Raw)
		}
		remind := func() *servertest.Answer {
			begun := boss.Do("POST", "/api/v1/protection/reminders", nil).Want(202)
			work(t, in.First())
			return boss.Do("GET", runsPath+"/"+begun.Text("id"), nil).Want(200)
		}
		one := func(id string) string { return "/api/v1/users/" + id + "/security/reminder" }

		want(t, "sent", figures(remind(), "kind", "state", "total", "changed"), "reminder done 3 2 invited:1")
		letters := in.Mails()
		if len(letters) != 2 {
			t.Fatalf("%d mails", len(letters))
		}
		for _, letter := range letters {
			if letter.Subject != "A reminder: turn on 2-step verification" || strings.Contains(letter.Text, "The time for it is over") != (letter.To == "p00@example.test") {
				t.Errorf("%s: %s", letter.To, letter.Text)
			}
			if !strings.Contains(letter.Text, servertest.MailURL+"/parameters/users/me/security") || strings.Contains(letter.Text, "token") {
				t.Errorf("%s", letter.Text)
			}
		}
		want(t, "again", figures(remind(), "changed"), "0 invited:1 reminded:2")
		refused := boss.Do("POST", one(soon), nil)
		refused.Refused(429, "reminded_lately")
		if refused.Header.Get("Retry-After") == "" {
			t.Error("nobody is told when it works again")
		}
		boss.Do("POST", one(invited), nil).Refused(409, "nothing_to_remind")
		boss.Do("POST", one(free), nil).Refused(409, "nothing_to_remind")
		boss.Do("POST", one("01JZZZZZZZZZZZZZZZZZZZZZZZ"), nil).Refused(404, "no_user")
		// Of many at once one is sent.
		answers := make([]int, 8)
		servertest.Together(8, func(n int) {
			if answer, err := boss.On(in.On(n)).Try("POST", one(later), nil); err == nil {
				answers[n] = answer.Status
			}
		})
		slices.Sort(answers)
		if !slices.Equal(answers, []int{204, 429, 429, 429, 429, 429, 429, 429}) {
			t.Errorf("%v", answers)
		}
		if letters := in.Mails(); len(letters) != 1 || letters[0].To != "p02@example.test" {
			t.Errorf("%d mails", len(letters))
		}
		if actors := in.Column("SELECT actor_id FROM events WHERE kind = 'reminder.sent'"); !slices.Equal(actors, []string{bossID, bossID, bossID}) {
			t.Errorf("%v", actors)
		}
		in.Clock.Advance(24 * time.Hour)
		boss = in.SignedIn("boss@example.test", app, servertest.Firefox)
		boss.Do("POST", one(overdue), nil).Want(204)
		if events := in.Column("SELECT id FROM events WHERE kind = 'reminder.sent' AND subject_id = ?", overdue); len(events) != 2 {
			t.Errorf("%d reminders", len(events))
		}
	}, servertest.Options{Mail: true})
}
