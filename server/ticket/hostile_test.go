package ticket_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Row 6: whatever there is of an address, the answer is the same byte by byte, also where its budget is spent, and the
// mail is the same but for what was drawn.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected(ada, "member")
		in.AddPerson("Off", "off@example.test", "member")
		in.Change("UPDATE users SET disabled_at = 1 WHERE email = 'off@example.test'")
		owner := in.SignedIn(ada, app, servertest.Firefox)
		for range 9 { // their own are of no account in it
			owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Want(200)
		}
		in.Mails()
		id := regexp.MustCompile(`[0-9a-f]{32}|\d\d:\d\d:\d\d`)
		seen := ""
		for _, address := range []string{who, ada, "off@example.test", "ADA@example.test"} {
			for n := range 5 {
				c := from(in, fmt.Sprintf("203.0.113.%d", n))
				answer := c.Do("POST", tickets, ask(address)).Want(200)
				header := answer.Header.Clone()
				for _, drawn := range []string{"Date", "X-Request-Id"} {
					header.Del(drawn)
				}
				var all strings.Builder
				if err := header.Write(&all); err != nil {
					t.Fatal(err)
				}
				if got := id.ReplaceAllString(string(answer.Raw)+all.String(), ""); seen == "" {
					seen = got
				} else if got != seen {
					t.Errorf("%s, time %d: %s\nnot %s", address, n, got, seen)
				}
			}
		}
		count := map[string]int{}
		for _, letter := range in.Mails() {
			count[strings.ToLower(letter.To)]++
			if letter.Subject != "Did you write to the support of MailMachine?" || strings.Contains(letter.Raw, "Grace") || strings.Contains(letter.Raw, "Hello") {
				t.Errorf("%s got %s", letter.To, letter.Raw)
			}
		}
		// Rows 47 and 48: from one place two mails go to an address within an hour, whatever its spelling, and two tickets wait.
		if count[who] != 2 || count[ada] != 2 || count["off@example.test"] != 2 {
			t.Errorf("mails %v", count)
		}
		if rows := in.Column("SELECT id FROM tickets WHERE state = 'unproved'"); len(rows) != 6 {
			t.Errorf("%d rows", len(rows))
		}
		// A day later they are gone, and so are their keys.
		in.Clock.Advance(24 * time.Hour)
		round(t, in)
		if rows := in.Column("SELECT id FROM tickets WHERE state = 'unproved'"); len(rows) != 0 {
			t.Errorf("%d rows are left", len(rows))
		}
	}, behindProxy(servertest.Options{Mail: true}))
}

// Rows 45 and 47: whoever writes in somebody's name, and writes again, uses up neither what that somebody has nor what their
// mailbox bears. The answer says nothing of it.
func TestAStrangerKeepsNobodyFromWriting(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		write := func(network, email string, mails int) {
			t.Helper()
			told := from(in, network).Do("POST", tickets, ask(email)).Want(200)
			if string(told.Raw) != `{"reference":"","key":"","proof_by_mail":true}`+"\n" {
				t.Errorf("told %s", told.Raw)
			}
			if got := len(in.Mails()); got != mails {
				t.Errorf("%s from %s: %d mails, want %d", email, network, got, mails)
			}
		}
		for n := range 9 { // day and night
			write("198.51.100.7", ada, 1)
			write("198.51.100.8", "ADA@example.test", 1)
			write("198.51.100.9", ada, 0)
			if n < 8 {
				in.Clock.Advance(time.Hour)
			}
		}
		if waiting := in.Column("SELECT id FROM tickets WHERE state = 'unproved'"); len(waiting) != 18 {
			t.Errorf("%d wait", len(waiting))
		}
		write("203.0.113.1", ada, 1)
		write("203.0.113.1", ada, 1)
		write("203.0.113.1", ada, 0)
		// From everywhere together it is no more than a mailbox bears.
		write("192.0.2.1", "Ada@example.test", 1)
		write("192.0.2.1", ada, 0)
		write("2001:db8::1", ada, 0)
		in.Clock.Advance(time.Hour)
		write("2001:db8::1", ada, 1)
	}, behindProxy(servertest.Options{Mail: true}))
}

// Nobody opens somebody's ticket: not by its reference, not by another's key, not signed in as somebody else (row 48),
// and the refusal is the same for a ticket that there is not.
func TestNobodyElseOpensIt(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		support := administrator(in)
		one, two := stranger(in).Do("POST", tickets, ask(who)).Want(200), stranger(in).Do("POST", tickets, ask(who)).Want(200)
		owner := in.SignedIn(ada, in.Protected(ada, "member"), servertest.Firefox)
		own := owner.Do("POST", tickets, body{"subject": "Mine", "lines": []string{"x"}}).Want(200).Text("reference")
		other := in.SignedIn("eve@example.test", in.Protected("eve@example.test", "member"), servertest.Firefox)
		hash := in.Column("SELECT lower(hex(key_hash)) FROM tickets WHERE reference = '" + one.Text("reference") + "'" + postgres(in))
		none := stranger(in).Do("POST", mine+"/read", body{"reference": "00000-00000", "key": two.Text("key")}).Refused(404, "no_ticket")
		for name, tried := range map[string]body{
			"without a key":     {"reference": one.Text("reference")},
			"an empty key":      {"reference": one.Text("reference"), "key": ""},
			"another's key":     {"reference": one.Text("reference"), "key": two.Text("key")},
			"what is stored":    {"reference": one.Text("reference"), "key": strings.Join(hash, "")},
			"the reference":     {"reference": one.Text("reference"), "key": one.Text("reference")},
			"without reference": {"reference": "", "key": one.Text("key")},
			"of an account":     {"reference": own, "key": two.Text("key")},
			"SQL":               {"reference": "' OR 1=1 --", "key": "' OR 1=1 --"},
			"of someone else":   {"reference": own},
		} {
			for _, c := range []*servertest.Client{stranger(in), other} {
				for _, act := range []string{"/read", "/prove", "/discard", "/reply", "/solve"} {
					sent := body{}
					for field, value := range tried {
						sent[field] = value
					}
					if act == "/reply" {
						sent["lines"] = []string{"x"}
					}
					refused := c.Do("POST", mine+act, sent).Refused(404, "no_ticket")
					if refused.Body["detail"] != none.Body["detail"] {
						t.Errorf("%s: %s", name, refused.Raw)
					}
				}
			}
		}
		if got := owner.Do("POST", mine+"/read", body{"reference": own}).Want(200); got.Text("subject") != "Mine" {
			t.Errorf("%s", got.Raw)
		}
		// Row 56: a member is no support, and one who has become a member a second ago neither.
		id := listed(t, support, "")[0]["id"].(string)
		for _, act := range []string{"", "/reply", "/solve", "/reopen"} {
			method := "POST"
			if act == "" {
				method = "GET"
			}
			var sent any
			if act == "/reply" {
				sent = body{"lines": []string{"x"}}
			}
			other.Do(method, tickets+"/"+id+act, sent).Refused(403, "not_permitted")
			support.Do(method, tickets+"/"+strings.Repeat("0", 26)+act, sent).Refused(404, "no_ticket")
		}
		in.Change("UPDATE users SET role = 'member' WHERE email = '" + boss + "'")
		support.Do("POST", tickets+"/"+id+"/solve", nil).Refused(403, "not_permitted")
	})
}

// postgres makes the query above one that both databases read.
func postgres(in *servertest.Installation) string {
	if in.Postgres {
		in.Change("CREATE OR REPLACE FUNCTION hex(of BYTEA) RETURNS TEXT AS $$ SELECT encode(of, 'hex') $$ LANGUAGE SQL")
	}
	return ""
}

// Rows 74 and 75: what a stranger writes spoofs no header, is markup nowhere, turns no text around, and sets no field that
// is not theirs.
func TestWhatStrangersWrite(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		c := stranger(in)
		long := func(n int) string { return strings.Repeat("ж", n) }
		for name, one := range map[string]struct {
			body  body
			field string
		}{
			"a header in the address": {ask("a@example.test\r\nBcc: b@example.test"), ""},
			"two addresses":           {ask("a@example.test,b@example.test"), "email"},
			"a name with the address": {ask("A <a@example.test>"), "email"},
			"no address":              {ask(""), "email"},
			"no name":                 {ask(who, "name", " "), "name"},
			"a link for a name":       {ask(who, "name", "See https://evil.example"), "name"},
			"a long name":             {ask(who, "name", long(101)), "name"},
			"no subject":              {ask(who, "subject", " "), "subject"},
			"a long subject":          {ask(who, "subject", long(121)), "subject"},
			"a subject turned around": {ask(who, "subject", "\u202egro.live"), "subject"},
			"a text turned around":    {ask(who, "lines", []string{"ok", "\u2066gro.live"}), "text"},
			"no text":                 {ask(who, "lines", []string{" ", ""}), "text"},
			"a long text":             {ask(who, "lines", []string{long(2000), long(2000)}), "text"},
			"ANSI":                    {ask(who, "lines", []string{"\x1b[2J"}), ""},
			"a NUL":                   {ask(who, "subject", "a\x00b"), ""},
		} {
			answer := c.Do("POST", tickets, one.body)
			if answer.Refused(422, "invalid_input"); one.field != "" && !strings.Contains(string(answer.Raw), `"name":"`+one.field+`"`) {
				t.Errorf("%s: %s", name, answer.Raw)
			}
		}
		for _, extra := range []string{"state", "user_id", "kind", "id", "key_hash", "address_proved", "is_admin"} {
			c.Do("POST", tickets, ask(who, extra, "x")).Refused(400, "unknown_field")
			c.Do("POST", mine+"/read", body{"reference": "x", extra: "x"}).Refused(400, "unknown_field")
		}
		c.Do("POST", tickets, `{"name":"a","name":"b","email":"a@example.test","subject":"x","lines":["x"]}`).Want(400)
		c.Do("POST", tickets, ask(who, "lines", "x")).Want(400)
		c.Do("POST", tickets, ask(who, "lines", []string{long(9000)})).Refused(413, "body_too_large")
		if rows := in.Column("SELECT id FROM tickets"); len(rows) != 0 {
			t.Fatalf("%d tickets", len(rows))
		}
		c.Header.Set("Sec-Fetch-Site", "cross-site") // row 67
		for _, path := range []string{"", "/mine/read", "/mine/prove", "/mine/discard", "/mine/reply", "/mine/solve"} {
			c.Do("POST", tickets+path, ask(who)).Refused(403, "cross_site")
		}
		c.Header.Del("Sec-Fetch-Site")
		// Marks that are only signs stay what they are, in names, subjects and texts.
		c.Do("POST", tickets, ask(who, "name", `<b>"Ada" & =cmd</b>`, "subject", "<script>alert(1)</script>", "lines", []string{"<img src=x>", "", "سلام"})).Want(200)
	})
}

// Row 55: the link in the mail is made from the public URL, whatever is sent.
func TestTheLinkDoesNotMove(t *testing.T) {
	in := servertest.OnSQLite(t, servertest.Options{Mail: true})
	c := stranger(in)
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"} {
		c.Header.Set(name, "evil.example")
	}
	c.Do("POST", tickets, ask(who)).Want(200)
	letters := in.Mails()
	if len(letters) != 1 || strings.Contains(letters[0].Raw, "evil") || !strings.Contains(letters[0].Text, servertest.MailURL+"/help/ticket#token=") {
		t.Errorf("%v", letters)
	}
	if letters[0].Header.Get("Bcc") != "" || letters[0].To != who {
		t.Errorf("%s", letters[0].Raw)
	}
}
