package ticket_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Row 47: what a network, an account and an address may cause is bounded, and a refusal says when it works again.
func TestBudgets(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		owner := in.SignedIn(ada, app, servertest.Firefox)
		second := in.Another
		if in.Postgres {
			second()
		}
		c := stranger(in)
		var got []key
		for n := range 10 {
			opened := c.On(in.On(n)).Do("POST", tickets, ask(who)).Want(200)
			got = append(got, key{opened.Text("reference"), opened.Text("key")})
		}
		refused := c.Do("POST", tickets, ask("other@example.test")).Refused(429, "too_many_tickets")
		if refused.Header.Get("Retry-After") != "3600" {
			t.Errorf("%v", refused.Header)
		}
		for n := range 30 {
			c.Do("POST", mine+"/reply", got[n%10].body("lines", []string{"and " + strings.Repeat("x", n+1)})).Want(200)
		}
		refused = c.Do("POST", mine+"/reply", got[0].body("lines", []string{"more"})).Refused(429, "too_many_messages")
		if refused.Header.Get("Retry-After") != "3600" {
			t.Errorf("%v", refused.Header)
		}
		// Whoever is signed in has a budget of their own, in the same network.
		for range 10 {
			owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Want(200)
		}
		owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Refused(429, "too_many_tickets")
		in.Clock.Advance(time.Hour)
		owner = in.SignedIn(ada, app, servertest.Firefox)
		owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Refused(429, "too_many_tickets") // ten are open
		reference := owner.Do("GET", mine, nil).Want(200).Body["tickets"].([]any)[0].(body)["reference"]
		owner.Do("POST", mine+"/solve", body{"reference": reference}).Want(200)
		owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Want(200)
		c.Do("POST", tickets, ask(who)).Want(200)
		// Of strangers whose address nobody has proved there are so many and no more.
		in.Change("INSERT INTO tickets (id, reference, kind, state, created_at, updated_at) SELECT id || '-' || n, id || n, 'help', 'open', 1, 1 FROM tickets, (" +
			numbers() + ") AS many WHERE id = (SELECT max(id) FROM tickets)")
		c.Do("POST", tickets, ask("new@example.test")).Refused(429, "too_many_tickets")
		in.Change("DELETE FROM tickets WHERE created_at = 1")
		// A ticket has so many messages and no more.
		in.Change("INSERT INTO ticket_messages (id, ticket_id, author, at, body) SELECT t.id || n, t.id, 'support', 1, 'x' FROM tickets t, (" +
			numbers() + ") AS many WHERE t.reference = '" + got[1].reference + "' AND n < 300")
		c.Do("POST", mine+"/reply", got[1].body("lines", []string{"one more"})).Refused(409, "thread_full")
	})
}

// numbers selects 1000 of them, n.
func numbers() string {
	digits := func(name string) string {
		all := make([]string, 10)
		for n := range all {
			all[n] = "SELECT " + string(rune('0'+n)) + " AS d"
		}
		return "(" + strings.Join(all, " UNION ALL ") + ") AS " + name
	}
	return "SELECT a.d + 10 * b.d + 100 * c.d AS n FROM " + digits("a") + ", " + digits("b") + ", " + digits("c")
}

// Rows 77 and 47: many who write at once to one address and over two instances leave three, and none of another's.
func TestAtOnce(t *testing.T) {
	in := servertest.OnPostgres(t, servertest.Options{Mail: true})
	in.Another()
	answers := make([]*servertest.Answer, 40)
	servertest.Together(len(answers), func(n int) {
		address := string(rune('a'+n%4)) + "@example.test"
		c := stranger(in).On(in.On(n))
		in.Change("DELETE FROM budgets WHERE spent > 8")
		answer, err := c.Try("POST", tickets, ask(address, "subject", "About "+address))
		if err != nil {
			t.Error(err)
		}
		answers[n] = answer
	})
	for n := range 4 {
		address := string(rune('a'+n)) + "@example.test"
		subjects := in.Column("SELECT subject FROM tickets WHERE email = ?", address)
		if len(subjects) > 3 || slices.ContainsFunc(subjects, func(one string) bool { return one != "About "+address }) {
			t.Errorf("%s: %q", address, subjects)
		}
	}
	// One link pressed at once proves once.
	in.Change("DELETE FROM budgets")
	stranger(in).Do("POST", tickets, ask("z@example.test", "subject", "Once")).Want(http.StatusOK)
	keys, _ := mailed(in, "z@example.test")
	if len(keys) == 0 {
		t.Fatal("no mail")
	}
	servertest.Together(8, func(n int) {
		answer, err := stranger(in).On(in.On(n)).Try("POST", mine+"/read", keys[0].body())
		if err != nil || answer.Status != http.StatusOK {
			t.Errorf("%v %v", answer, err)
		}
	})
	if opened := in.Column("SELECT id FROM events WHERE kind = 'ticket.opened'"); len(opened) != 1 {
		t.Errorf("%d times on record", len(opened))
	}
}

// The support is told of many tickets in one mail an hour.
func TestTheSupportIsNotFlooded(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		in.Mails()
		owner := in.SignedIn(ada, in.Protected(ada, "member"), servertest.Firefox)
		in.Mails()
		for range 4 {
			owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Want(200)
		}
		support.Do("POST", tickets, body{"subject": "My own", "lines": []string{"x"}}).Want(200)
		_, subjects := mailed(in, "")
		if len(subjects[boss]) != 1 {
			t.Errorf("%v", subjects)
		}
		in.Clock.Advance(time.Hour)
		if _, subjects = mailed(in, ""); len(subjects[boss]) > 1 {
			t.Errorf("%v", subjects)
		}
	}, servertest.Options{Mail: true})
}
