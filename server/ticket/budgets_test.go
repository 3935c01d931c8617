package ticket_test

import (
	"fmt"
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
		// A ticket has so many messages and no more.
		in.Change("INSERT INTO ticket_messages (id, ticket_id, author, at, body) SELECT t.id || n, t.id, 'support', 1, 'x' FROM tickets t, (" +
			numbers() + ") AS many WHERE t.reference = '" + got[1].reference + "' AND n < 300")
		c.Do("POST", mine+"/reply", got[1].body("lines", []string{"one more"})).Refused(409, "thread_full")
	})
}

// crowd leaves room for no more tickets of strangers: each of so many neighbourhoods has written as often as any.
func crowd(in *servertest.Installation, neighbourhoods int, state string) {
	in.Change(fmt.Sprintf(`INSERT INTO tickets (id, reference, kind, state, created_at, updated_at, neighbourhood)
		SELECT 'crowd-' || n, 'crowd-' || n, 'help', '%s', 1000 + n, 1, CAST(n %% %d AS TEXT) FROM (%s) AS many`, state, neighbourhoods, numbers()))
}

// Row 45 and 47: there is room for so many tickets whose address nobody has proved. Who fills it keeps out nobody but
// themself: who writes from elsewhere is let in, and the oldest of those who have the most gives way.
func TestNobodyCrowdsOutOthers(t *testing.T) {
	for name, options := range map[string]servertest.Options{"by mail": {Mail: true}, "without mail": {}} {
		t.Run(name, func(t *testing.T) {
			servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
				left := func(where string, want int) {
					t.Helper()
					if rows := in.Column("SELECT id FROM tickets WHERE " + where); len(rows) != want {
						t.Errorf("%d tickets with %s, want %d", len(rows), where, want)
					}
				}
				from := func(network string) *servertest.Client { return from(in, network) }
				crowd(in, 100, "open")
				// One who is new, and their neighbours until they have as many as the others.
				from("203.0.113.7").Do("POST", tickets, ask(who)).Want(200)
				left("neighbourhood = '203.0.113.0/24'", 1)
				left("id = 'crowd-0'", 0) // the oldest
				left("TRUE", 1000)
				for n := range 8 {
					from(fmt.Sprintf("203.0.113.%d", 8+n)).Do("POST", tickets, ask(fmt.Sprintf("person%d@example.test", n))).Want(200)
				}
				refused := from("203.0.113.99").Do("POST", tickets, ask("more@example.test")).Refused(429, "too_many_tickets")
				if refused.Header.Get("Retry-After") != "3600" {
					t.Errorf("%v", refused.Header)
				}
				// However many networks there are in an IPv6 /48, they are one neighbourhood.
				for n := range 12 {
					answer := from(fmt.Sprintf("2001:db8:7:%x::1", n)).Do("POST", tickets, ask(fmt.Sprintf("six%d@example.test", n)))
					if want := map[bool]int{true: 200, false: 429}[n < 9]; answer.Status != want {
						t.Errorf("network %d: %d, want %d", n, answer.Status, want)
					}
				}
				left("neighbourhood = '2001:db8:7::/48'", 9)
				left("TRUE", 1000)
				// What is proved, or answered, never gives way. Where nothing else is left, nobody can be let in.
				in.Change("UPDATE tickets SET address_proved = TRUE WHERE id = 'crowd-20'")
				in.Change("UPDATE tickets SET state = 'waiting' WHERE id = 'crowd-21'")
				in.Change("INSERT INTO ticket_messages (id, ticket_id, author, at, body) VALUES ('m', 'crowd-22', 'support', 1, 'x')")
				for n := range 8 {
					from(fmt.Sprintf("198.51.100.%d", n)).Do("POST", tickets, ask(fmt.Sprintf("late%d@example.test", n))).Want(200)
				}
				left("id IN ('crowd-20', 'crowd-21', 'crowd-22')", 3)
				left("neighbourhood = '203.0.113.0/24'", 9)
				in.Change("UPDATE tickets SET state = 'waiting'")
				from("192.0.2.1").Do("POST", tickets, ask("last@example.test")).Refused(429, "too_many_tickets")
			}, behindProxy(options))
		})
	}
}

// Many who come at once where there is no room leave as many tickets as there were (row 80).
func TestRoomIsSharedAtOnce(t *testing.T) {
	in := servertest.OnPostgres(t, behindProxy(servertest.Options{}))
	in.Another()
	crowd(in, 50, "open")
	servertest.Together(20, func(n int) {
		c := from(in, fmt.Sprintf("198.51.%d.1", n)).On(in.On(n))
		answer, err := c.Try("POST", tickets, ask(fmt.Sprintf("person%d@example.test", n)))
		if err != nil || answer.Status != http.StatusOK {
			t.Errorf("%v %v", answer, err)
		}
	})
	if rows := in.Column("SELECT id FROM tickets"); len(rows) != 1000 {
		t.Errorf("%d tickets", len(rows))
	}
	if rows := in.Column("SELECT id FROM tickets WHERE id LIKE 'crowd-%'"); len(rows) != 980 {
		t.Errorf("%d of before", len(rows))
	}
}

// Row 44 and 47: what many networks may cause together is bounded too, and who is refused costs next to nothing.
func TestBudgetsOfNeighbourhoodsAndOfAll(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		for n := range 30 {
			from(in, fmt.Sprintf("2001:db8:7:%x::1", n)).Do("POST", tickets, ask(fmt.Sprintf("person%d@example.test", n))).Want(200)
		}
		from(in, "2001:db8:7:ffff::1").Do("POST", tickets, ask("more@example.test")).Refused(429, "too_many_tickets")
		from(in, "2001:db8:8::1").Do("POST", tickets, ask("more@example.test")).Want(200)
		in.Change("UPDATE budgets SET spent = 499 WHERE spent = 31") // of all
		from(in, "2001:db8:9::1").Do("POST", tickets, ask("last@example.test")).Want(200)
		refused := from(in, "192.0.2.1").Do("POST", tickets, ask("none@example.test")).Refused(429, "too_many_tickets")
		if refused.Header.Get("Retry-After") != "3600" {
			t.Errorf("%v", refused.Header)
		}
		in.Clock.Advance(time.Hour)
		from(in, "192.0.2.1").Do("POST", tickets, ask("none@example.test")).Want(200)
	}, behindProxy(servertest.Options{Mail: true}))
}

// Row 48: however an address is dressed up, the mailbox gets so many mails and no more.
func TestOneMailboxHasOneBudget(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		for n := range 20 {
			from(in, fmt.Sprintf("198.51.%d.1", n)).Do("POST", tickets, ask(fmt.Sprintf("victim+%d@example.test", n))).Want(200)
		}
		if mails := in.Column("SELECT id FROM outbox WHERE kind = 'ticket_proof'"); len(mails) != 5 {
			t.Errorf("%d mails for one mailbox", len(mails))
		}
	}, behindProxy(servertest.Options{Mail: true}))
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

// Rows 77 and 47: many who write at once to one address and over two instances leave two, and none of another's.
func TestAtOnce(t *testing.T) {
	in := servertest.OnPostgres(t, behindProxy(servertest.Options{Mail: true}))
	in.Another()
	answers := make([]*servertest.Answer, 40)
	servertest.Together(len(answers), func(n int) {
		address := string(rune('a'+n%4)) + "@example.test"
		c := from(in, fmt.Sprintf("203.0.113.%d", n)).On(in.On(n))
		answer, err := c.Try("POST", tickets, ask(address, "subject", "About "+address))
		if err != nil {
			t.Error(err)
		}
		answers[n] = answer
	})
	for n := range 4 {
		address := string(rune('a'+n)) + "@example.test"
		subjects := in.Column("SELECT subject FROM tickets WHERE email = ?", address)
		if len(subjects) != 2 || slices.ContainsFunc(subjects, func(one string) bool { return one != "About "+address }) {
			t.Errorf("%s: %q", address, subjects)
		}
	}
	// One link pressed at once proves once.
	stranger(in).Do("POST", tickets, ask("z@example.test", "subject", "Once")).Want(http.StatusOK)
	keys, _ := mailed(in, "z@example.test")
	if len(keys) == 0 {
		t.Fatal("no mail")
	}
	servertest.Together(8, func(n int) {
		answer, err := stranger(in).On(in.On(n)).Try("POST", mine+"/prove", keys[0].body())
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
