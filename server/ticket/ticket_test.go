package ticket_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

type body = map[string]any

const (
	ada  = "ada@example.test"
	boss = "boss@example.test"
	who  = "stranger@example.test"

	tickets = "/api/v1/tickets"
	mine    = "/api/v1/tickets/mine"
)

var linkOf = regexp.MustCompile(`/help/ticket#token=([0-9A-Z-]{35})&reference=([0-9A-Z]{5}-[0-9A-Z]{5})`)

// key is what a mail about a ticket has.
type key struct{ reference, key string }

func (k key) body(more ...any) body {
	made := body{"reference": k.reference, "key": k.key}
	for n := 0; n+1 < len(more); n += 2 {
		made[more[n].(string)] = more[n+1]
	}
	return made
}

// stranger is a browser in a network of its own.
func stranger(in *servertest.Installation) *servertest.Client { return in.Browser(servertest.Safari) }

// from is a stranger who comes through a proxy from there.
func from(in *servertest.Installation, address string) *servertest.Client {
	c := stranger(in)
	c.Header.Set("X-Forwarded-For", address)
	return c
}

func behindProxy(options servertest.Options) servertest.Options {
	options.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	return options
}

func ask(email string, more ...any) body {
	made := body{"name": "Grace", "email": email, "subject": "It will not open", "lines": []string{"Hello,", "", "it will not open."}}
	for n := 0; n+1 < len(more); n += 2 {
		made[more[n].(string)] = more[n+1]
	}
	return made
}

// mailed are the keys in the mails to an address, and the subjects of all that came.
func mailed(in *servertest.Installation, to string) (keys []key, subjects map[string][]string) {
	subjects = map[string][]string{}
	for _, letter := range in.Mails() {
		subjects[letter.To] = append(subjects[letter.To], letter.Subject)
		if found := linkOf.FindStringSubmatch(letter.Text); letter.To == to && found != nil {
			keys = append(keys, key{found[2], found[1]})
		}
	}
	return keys, subjects
}

func administrator(in *servertest.Installation) *servertest.Client {
	return in.SignedIn(boss, in.Protected(boss, "administrator"), servertest.Firefox)
}

func round(t *testing.T, in *servertest.Installation) {
	t.Helper()
	if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func listed(t *testing.T, c *servertest.Client, query string) []body {
	t.Helper()
	var list []body
	for _, one := range c.Do("GET", tickets+query, nil).Want(200).Body["tickets"].([]any) {
		list = append(list, one.(body))
	}
	return list
}

func lines(t *testing.T, answer *servertest.Answer) (all []string) {
	t.Helper()
	of := answer.Body
	if inner, ok := of["ticket"].(body); ok {
		of = inner
	}
	for _, one := range of["messages"].([]any) {
		said := one.(body)
		text := said["by"].(string) + ":"
		for _, line := range said["lines"].([]any) {
			text += " " + line.(string)
		}
		all = append(all, text)
	}
	return all
}

// A stranger writes, proves the address by the mail's link, is answered, writes back, and says that it is solved. Nobody
// sees it before (rows 48, 73 and 74).
func TestAStrangerIsHelped(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		in.Mails()
		c := stranger(in)
		told := c.Do("POST", tickets, ask(who)).Want(200)
		if told.Text("reference") != "" || told.Text("key") != "" || told.Body["proof_by_mail"] != true {
			t.Errorf("told %s", told.Raw)
		}
		if seen := listed(t, support, ""); len(seen) != 0 {
			t.Errorf("seen before it was proved: %v", seen)
		}
		support.Do("GET", tickets+"/"+in.Column("SELECT id FROM tickets")[0], nil).Refused(404, "no_ticket")
		keys, subjects := mailed(in, who)
		if len(keys) != 1 || len(subjects) != 1 {
			t.Fatalf("keys %v, mails %v", keys, subjects)
		}
		// Nothing but the word that it is theirs proves it: not reading it, not writing into it.
		c.Do("POST", mine+"/reply", keys[0].body("lines", []string{"x"})).Refused(404, "no_ticket")
		for range 2 {
			read := c.Do("POST", mine+"/read", keys[0].body()).Want(200)
			if got := lines(t, read); len(got) != 1 || read.Text("state") != "unproved" || read.Text("name") != "Grace" || read.Text("subject") != "It will not open" {
				t.Errorf("%q %s", got, read.Raw)
			}
		}
		if _, subjects = mailed(in, who); len(listed(t, support, "")) != 0 || len(subjects) != 0 {
			t.Errorf("read, it is seen already; mails %v", subjects)
		}
		read := c.Do("POST", mine+"/prove", keys[0].body()).Want(200)
		if got := lines(t, read); !slices.Equal(got, []string{"person: Hello,  it will not open."}) || read.Text("state") != "open" {
			t.Errorf("%q %s", got, read.Raw)
		}
		if _, subjects = mailed(in, who); !slices.Equal(subjects[boss], []string{"Somebody needs help"}) || len(subjects) != 1 {
			t.Errorf("mails %v", subjects)
		}
		seen := listed(t, support, "?state=open")
		if len(seen) != 1 || seen[0]["address_proved"] != true || seen[0]["user_id"] != "" || seen[0]["email"] != who {
			t.Fatalf("%v", seen)
		}
		id := seen[0]["id"].(string)
		c.Do("POST", mine+"/prove", keys[0].body()).Want(200) // twice is once
		c.Do("POST", mine+"/discard", keys[0].body()).Refused(409, "ticket_proved")
		answered := support.Do("POST", tickets+"/"+id+"/reply", body{"lines": []string{"Press harder."}}).Want(200)
		if answered.Body["mailed"] != true || answered.Body["ticket"].(body)["state"] != "waiting" {
			t.Errorf("%s", answered.Raw)
		}
		letters := in.Mails()
		if len(letters) != 1 || letters[0].To != who || strings.Contains(letters[0].Raw, "harder") || !strings.Contains(letters[0].Text, keys[0].reference) {
			t.Fatalf("%v", letters)
		}
		again := linkOf.FindStringSubmatch(letters[0].Text)
		if again == nil || again[1] == keys[0].key {
			t.Fatalf("the mail has %q", again)
		}
		for _, one := range []key{keys[0], {again[2], again[1]}, {strings.ToLower(again[2]), strings.ReplaceAll(strings.ToLower(again[1]), "-", " ")}} {
			answer := stranger(in).Do("POST", mine+"/read", one.body()).Want(200)
			if got := lines(t, answer); len(got) != 2 || got[1] != "support: Press harder." || strings.Contains(string(answer.Raw), "Boss") {
				t.Errorf("%q %s", got, answer.Raw)
			}
		}
		replied := c.Do("POST", mine+"/reply", keys[0].body("lines", []string{"Now it does."})).Want(200)
		if replied.Text("state") != "open" {
			t.Errorf("%s", replied.Raw)
		}
		if _, subjects = mailed(in, who); !slices.Equal(subjects[boss], []string{"Somebody answered in a ticket"}) {
			t.Errorf("mails %v", subjects)
		}
		c.Do("POST", mine+"/reply", keys[0].body("lines", []string{"Now it does."})).Want(200) // twice is once
		if got := lines(t, c.Do("POST", mine+"/solve", keys[0].body()).Want(200)); len(got) != 3 {
			t.Errorf("%q", got)
		}
		support.Do("POST", tickets+"/"+id+"/reply", body{"lines": []string{"Good."}}).Refused(409, "ticket_solved")
		support.Do("POST", tickets+"/"+id+"/reopen", nil).Want(200)
		solved := support.Do("POST", tickets+"/"+id+"/solve", nil).Want(200)
		if solved.Body["ticket"].(body)["state"] != "solved" {
			t.Errorf("%s", solved.Raw)
		}
		support.Do("POST", tickets+"/"+id+"/solve", nil).Want(200)
		if _, subjects = mailed(in, who); !slices.Equal(subjects[who], []string{"Your ticket is marked as solved"}) {
			t.Errorf("mails %v", subjects)
		}
		if got := c.Do("POST", mine+"/reply", keys[0].body("lines", []string{"Not quite."})).Want(200); got.Text("state") != "open" {
			t.Errorf("%s", got.Raw)
		}
		// Row 71: what happened, and never what was written.
		kinds := in.Column("SELECT kind FROM events WHERE kind LIKE 'ticket.%' ORDER BY id")
		want := []string{"ticket.opened", "ticket.answered", "ticket.solved", "ticket.reopened", "ticket.solved", "ticket.reopened"}
		if !slices.Equal(kinds, want) {
			t.Errorf("events %v", kinds)
		}
		for _, data := range in.Column("SELECT COALESCE(data, '') FROM events") {
			for _, never := range []string{"harder", "Grace", "will not", who, keys[0].key} {
				if strings.Contains(data, never) {
					t.Errorf("an event has %s: %s", never, data)
				}
			}
		}
	}, servertest.Options{Mail: true})
}

// Where no mail leaves, reference and key are told once, and the support sees at once that nobody proved the address.
func TestWithoutMail(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		opened := stranger(in).Do("POST", tickets, ask(ada)).Want(200)
		own := key{opened.Text("reference"), opened.Text("key")}
		if opened.Body["proof_by_mail"] != false || len(own.key) != 35 {
			t.Errorf("%s", opened.Raw)
		}
		seen := listed(t, support, "")
		if len(seen) != 1 || seen[0]["address_proved"] != false {
			t.Fatalf("%v", seen)
		}
		path := tickets + "/" + seen[0]["id"].(string)
		if got := support.Do("GET", path, nil).Want(200); got.Text("told_by") != "key" {
			t.Errorf("%s", got.Raw)
		}
		if answered := support.Do("POST", path+"/reply", body{"lines": []string{"Yes?"}}).Want(200); answered.Body["mailed"] != false {
			t.Errorf("%s", answered.Raw)
		}
		if got := lines(t, stranger(in).Do("POST", mine+"/read", own.body()).Want(200)); len(got) != 2 {
			t.Errorf("%q", got)
		}
		// The address of somebody's account makes it not theirs.
		app := in.Protected(ada, "member")
		owner := in.SignedIn(ada, app, servertest.Firefox)
		if list := owner.Do("GET", mine, nil).Want(200).Body["tickets"].([]any); len(list) != 0 {
			t.Errorf("%v", list)
		}
		// Row 61, 64: the key is nowhere, and what is kept of it opens nothing.
		for name, content := range in.Files() {
			if strings.Contains(string(content), own.key) || strings.Contains(string(content), strings.ReplaceAll(own.key, "-", "")) {
				t.Errorf("%s has the key", name)
			}
		}
	})
}

// Row 76: the list is filtered, searched and paged; what is sent for it is data.
func TestTheList(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		for n, subject := range []string{"Old phone", "100% broken", "Under_score", "Émigré", "New phone"} {
			in.Change("DELETE FROM budgets")
			in.Clock.Advance(time.Second)
			email := string(rune('a'+n)) + "@example.test"
			stranger(in).Do("POST", tickets, ask(email, "subject", subject, "name", "Person "+subject)).Want(200)
		}
		subjects := func(query string) (all []string) {
			for _, one := range listed(t, support, query) {
				all = append(all, one["subject"].(string))
			}
			return all
		}
		reference := listed(t, support, "?query=migr")[0]["reference"].(string)
		for query, want := range map[string][]string{
			"":                                     {"New phone", "Émigré", "Under_score", "100% broken", "Old phone"},
			"?query=PHONE":                         {"New phone", "Old phone"},
			"?query=phone+new":                     {"New phone"},
			"?query=100%25":                        {"100% broken"},
			"?query=%25":                           {"100% broken"},
			"?query=r_s":                           {"Under_score"},
			"?query=%C3%A9MIGR%C3%89":              {"Émigré"},
			"?query=" + reference:                  {"Émigré"},
			"?query=" + strings.ToLower(reference): {"Émigré"},
			"?query=b@example.test":                {"100% broken"},
			"?query='+OR+1%3D1+--":                 nil,
			"?query=%5C":                           nil,
			"?state=solved":                        nil,
			"?kind=recovery":                       nil,
			"?kind=help&state=open&limit=2":        {"New phone", "Émigré"},
			"?cursor=x":                            {"New phone", "Émigré", "Under_score", "100% broken", "Old phone"},
			"?cursor=1-'":                          nil,
		} {
			if got := subjects(query); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		support.Do("GET", tickets+"?state=unproved", nil).Want(422)
		support.Do("GET", tickets+"?sort=email", nil).Refused(400, "unknown_field")
		var walked []string
		query := "?limit=2"
		for range 4 {
			page := support.Do("GET", tickets+query, nil).Want(200)
			for _, one := range page.Body["tickets"].([]any) {
				walked = append(walked, one.(body)["subject"].(string))
			}
			if page.Body["open"] != float64(5) {
				t.Errorf("%v open", page.Body["open"])
			}
			next, more := page.Body["next_cursor"].(string)
			if !more {
				break
			}
			query = "?limit=2&cursor=" + next
		}
		if !slices.Equal(walked, subjects("")) {
			t.Errorf("walked %q", walked)
		}
	})
}

// After a restore no key of before opens anything; the reference stays. A solved ticket is kept for a year.
func TestAfterwards(t *testing.T) {
	in := servertest.OnSQLite(t)
	opened := stranger(in).Do("POST", tickets, ask(who)).Want(200)
	own := key{opened.Text("reference"), opened.Text("key")}
	restored := in.Restored(in.Backup())
	stranger(restored).Do("POST", mine+"/read", own.body()).Refused(404, "no_ticket")
	if kept := restored.Column("SELECT reference FROM tickets"); !slices.Equal(kept, []string{own.reference}) {
		t.Errorf("%v", kept)
	}
	stranger(in).Do("POST", mine+"/solve", own.body()).Want(200)
	for _, left := range []int{1, 0} {
		in.Clock.Advance(365*24*time.Hour - time.Minute)
		round(t, in)
		if rows := in.Column("SELECT id FROM tickets"); len(rows) != left {
			t.Errorf("%d tickets, want %d", len(rows), left)
		}
		in.Clock.Advance(time.Minute)
	}
}

// A recovery ticket is listed and answered like any. How far it is, is its recovery's: no message moves it, and nobody
// solves or opens it here (row 50).
func TestARecoveryTicket(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		owner := in.SignedIn(ada, in.Protected(ada, "member"), servertest.Firefox)
		reference := owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Want(200).Text("reference")
		in.Change("UPDATE tickets SET kind = 'recovery', subject = ''")
		in.Mails()
		seen := listed(t, support, "?kind=recovery")
		if len(seen) != 1 {
			t.Fatalf("%v", seen)
		}
		path := tickets + "/" + seen[0]["id"].(string)
		for _, act := range []string{"/solve", "/reopen"} {
			support.Do("POST", path+act, nil).Refused(409, "recovery_ticket")
		}
		owner.Do("POST", mine+"/solve", body{"reference": reference}).Refused(409, "recovery_ticket")
		answered := support.Do("POST", path+"/reply", body{"lines": []string{"When did you start here?"}}).Want(200)
		if answered.Body["ticket"].(body)["state"] != "open" || answered.Body["mailed"] != true {
			t.Errorf("%s", answered.Raw)
		}
		keys, _ := mailed(in, ada)
		if len(keys) != 1 {
			t.Fatalf("%v", keys)
		}
		replied := stranger(in).Do("POST", mine+"/reply", keys[0].body("lines", []string{"In March."})).Want(200)
		if got := lines(t, replied); len(got) != 3 || replied.Text("state") != "open" {
			t.Errorf("%s", replied.Raw)
		}
		// Before its proof and after its end nobody writes, and the key of a mail proves nothing.
		in.Change("UPDATE tickets SET state = 'unproved'")
		for _, act := range []string{"/read", "/prove", "/discard"} {
			stranger(in).Do("POST", mine+act, keys[0].body()).Refused(404, "no_ticket")
		}
		support.Do("POST", path+"/reply", body{"lines": []string{"x"}}).Refused(404, "no_ticket")
		if state := in.Column("SELECT state FROM tickets"); state[0] != "unproved" {
			t.Errorf("%v", state)
		}
		in.Change("UPDATE tickets SET state = 'solved'")
		stranger(in).Do("POST", mine+"/reply", keys[0].body("lines", []string{"Again."})).Refused(409, "ticket_solved")
		// It is pruned with its recovery, and not here.
		in.Clock.Advance(400 * 24 * time.Hour)
		round(t, in)
		if rows := in.Column("SELECT id FROM tickets"); len(rows) != 1 {
			t.Errorf("%d tickets", len(rows))
		}
	}, servertest.Options{Mail: true})
}
