package help_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// visitor is a reader's browser: it sends forms as one does from a page of ours, follows nowhere, and takes what is packed.
func visitor(in *servertest.Installation) *servertest.Client {
	c := in.Browser(servertest.Firefox)
	c.Stay()
	c.Header.Set("Accept", "text/html")
	c.Header.Set("Sec-Fetch-Site", "same-origin")
	return c
}

// send sends a form, with the origin that a page without a referrer has.
func send(c *servertest.Client, path string, fields url.Values) *servertest.Answer {
	c.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c.Header.Set("Origin", "null")
	return c.Do("POST", path, fields.Encode())
}

func say(c *servertest.Client, article, sentence string) *servertest.Answer {
	return send(c, "/help/"+article+"/sentence", url.Values{"sentence": {sentence}})
}

func vote(c *servertest.Client, article, helpful string) *servertest.Answer {
	return send(c, "/help/"+article+"/vote", url.Values{"helpful": {helpful}})
}

func leadsTo(t *testing.T, answer *servertest.Answer, want string) {
	t.Helper()
	if got := answer.Want(http.StatusSeeOther).Header.Get("Location"); got != want {
		t.Errorf("leads to %s, want %s", got, want)
	}
}

// TestPages reads the help as anybody can, and holds it to the headers of every answer (row 68).
func TestPages(t *testing.T) {
	in := servertest.OnSQLite(t)
	reader := visitor(in)
	for path, want := range map[string]string{
		"/help":                               "Lost phone and codes",
		"/help/":                              "Lost phone and codes",
		"/help/sign-in":                       "<h1>Sign in</h1>",
		"/help/sign-in?said=no":               "What was missing?",
		"/help/sign-in?said=%3Cscript%3E":     "Was this helpful?",
		"/help/search?q=phone":                "<mark>phone</mark>",
		"/help/search":                        "Type what you look for",
		"/help/search?q=%3Cscript%3Ealert(1)": "&lt;script&gt;alert(1)",
		"/help/search?q=" + strings.Repeat("x", 4000): "Nothing was found",
	} {
		answer := reader.Do("GET", path, nil).Want(http.StatusOK)
		text := string(answer.Raw)
		if !strings.Contains(text, want) {
			t.Errorf("%s has no %q", path, want)
		}
		if strings.Contains(text, "<script>") || strings.Contains(text, " style=") || strings.Contains(text, "<style") || strings.Contains(text, "onclick") {
			t.Errorf("%s has code or looks of its own", path)
		}
		if got := answer.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s is %s", path, got)
		}
		if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		for _, name := range []string{"X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"} {
			if answer.Header.Get(name) == "" {
				t.Errorf("%s has no %s", path, name)
			}
		}
		if len(answer.Header["Set-Cookie"]) > 0 {
			t.Errorf("%s sets a cookie", path)
		}
	}
	for _, path := range []string{"/help/nothing", "/help/sign-in/more", "/help/pictures/none.png", "/help/../help", "/help/%2e%2e/x", "/help/sign-in.md"} {
		answer := reader.Do("GET", path, nil).Want(http.StatusNotFound)
		if !strings.Contains(string(answer.Raw), "There is no such article") || answer.Header.Get("ETag") != "" {
			t.Errorf("%s: %s", path, answer.Raw)
		}
	}
	reader.Do("GET", "/help/search?q=a&q=b", nil).Want(http.StatusBadRequest)
	reader.Do("GET", "/help/search?q=%00", nil).Want(http.StatusBadRequest)
	reader.Do("DELETE", "/help/sign-in", nil).Refused(http.StatusMethodNotAllowed, "method_not_allowed")
	reader.Do("GET", "/helpful", nil).Want(http.StatusOK) // a page of the front end
}

// TestKept is how a page is sent: packed once, and not again to whoever has it.
func TestKept(t *testing.T) {
	in := servertest.OnSQLite(t)
	reader := visitor(in)
	plain := reader.Do("GET", "/help/sign-in", nil).Want(http.StatusOK)
	reader.Header.Set("Accept-Encoding", "gzip")
	packed := reader.Do("GET", "/help/sign-in", nil).Want(http.StatusOK)
	if packed.Header.Get("Content-Encoding") != "gzip" || len(packed.Raw)*2 > len(plain.Raw) {
		t.Fatalf("%d bytes of %d, %v", len(packed.Raw), len(plain.Raw), packed.Header)
	}
	unpacking, err := gzip.NewReader(strings.NewReader(string(packed.Raw)))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(unpacking); err != nil || string(unpacked) == "" || string(unpacked) != string(plain.Raw) {
		t.Errorf("unpacked it is another page: %d bytes, %v", len(unpacked), err)
	}
	if vary := strings.Join(packed.Header["Vary"], ", "); vary != "Accept-Encoding, Cookie, Accept-Language" {
		t.Errorf("Vary is %q", vary)
	}
	reader.Header.Set("If-None-Match", packed.Header.Get("ETag"))
	if again := reader.Do("GET", "/help/sign-in", nil).Want(http.StatusNotModified); len(again.Raw) > 0 {
		t.Errorf("sent again: %d bytes", len(again.Raw))
	}
	in.AddPerson("Eve", "eve@example.test", "member")
	reader.Password("eve@example.test").Want(http.StatusOK)
	reader.Header.Del("Accept-Encoding")
	if inside := reader.Do("GET", "/help/sign-in", nil).Want(http.StatusOK); !strings.Contains(string(inside.Raw), "Back to MailMachine") {
		t.Error("whoever is signed in is asked to sign in")
	}
}

// TestVotes: one vote a visitor and article, a sentence with it, and administrators who read and mark it.
func TestVotes(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		boss := in.Protected("boss@example.test", "administrator")
		ada, ben := visitor(in), visitor(in)
		leadsTo(t, vote(ada, "sign-in", "yes"), "/help/sign-in?said=yes#helpful")
		leadsTo(t, vote(ada, "sign-in", "no"), "/help/sign-in?said=no#helpful") // another one takes its place
		leadsTo(t, vote(ada, "lost-phone", "yes"), "/help/lost-phone?said=yes#helpful")
		leadsTo(t, say(ada, "sign-in", "  It says\r\nnothing of <b>&</b> "), "/help/sign-in?said=told#helpful")
		leadsTo(t, say(ada, "sign-in", "And another one"), "/help/sign-in?said=already#helpful")
		leadsTo(t, say(ada, "lost-phone", " \n "), "/help/lost-phone")
		leadsTo(t, say(ada, "lost-phone", strings.Repeat("ä", 501)), "/help/lost-phone?said=long#helpful")
		leadsTo(t, say(ada, "lost-phone", strings.Repeat("ä", 500)), "/help/lost-phone?said=told#helpful")
		leadsTo(t, say(ben, "sign-in", "Without a vote"), "/help/sign-in?said=no-cookies#helpful")

		in.Clock.Advance(15 * 24 * time.Hour)
		leadsTo(t, vote(ben, "sign-in", "yes"), "/help/sign-in?said=yes#helpful")
		admin := in.SignedIn("boss@example.test", boss, servertest.Firefox)
		tally := func(article string) map[string]any {
			t.Helper()
			for _, one := range admin.Do("GET", "/api/v1/help/votes", nil).Want(http.StatusOK).Body["articles"].([]any) {
				if one := one.(map[string]any); one["article"] == article {
					return one
				}
			}
			t.Fatalf("nothing is told of %s", article)
			return nil
		}
		got := tally("sign-in")
		if got["yes"] != 1.0 || got["no"] != 1.0 || got["open"] != 1.0 || got["title"] != "Sign in" {
			t.Errorf("sign-in: %v", got)
		}
		weeks := got["weeks"].([]any)
		first, last := weeks[len(weeks)-3].(map[string]any), weeks[len(weeks)-1].(map[string]any)
		if len(weeks) != 12 || first["no"] != 1.0 || first["yes"] != 0.0 || last["yes"] != 1.0 || last["no"] != 0.0 || last["begins"] != "2026-03-23" {
			t.Errorf("weeks: %v", weeks)
		}
		if none := tally("audit"); none["yes"] != 0.0 || len(none["weeks"].([]any)) != 12 {
			t.Errorf("audit: %v", none)
		}

		sentences := func(query string) []any {
			t.Helper()
			return admin.Do("GET", "/api/v1/help/sentences"+query, nil).Want(http.StatusOK).Body["sentences"].([]any)
		}
		open := sentences("")
		if len(open) != 2 {
			t.Fatalf("sentences: %v", open)
		}
		of := sentences("?article=sign-in")[0].(map[string]any)
		if of["sentence"] != "It says nothing of <b>&</b>" || of["helpful"] != false || of["done_at"] != nil || of["locale"] != "en" {
			t.Errorf("the sentence: %v", of)
		}
		page := admin.Do("GET", "/api/v1/help/sentences?limit=1", nil).Want(http.StatusOK)
		next := sentences("?limit=1&cursor=" + page.Text("next_cursor"))
		if len(next) != 1 || next[0].(map[string]any)["id"] == page.Body["sentences"].([]any)[0].(map[string]any)["id"] {
			t.Errorf("the next page: %v", next)
		}
		mark := "/api/v1/help/sentences/" + of["id"].(string)
		for range 2 { // it may be marked twice
			admin.Do("PATCH", mark, map[string]bool{"done": true}).Want(http.StatusNoContent)
		}
		if left, done := sentences(""), sentences("?done=true"); len(left) != 1 || len(done) != 1 || done[0].(map[string]any)["done_at"] == nil {
			t.Errorf("left %v, done %v", left, done)
		}
		if got := tally("sign-in"); got["open"] != 0.0 {
			t.Errorf("sign-in: %v", got)
		}
		admin.Do("PATCH", mark, map[string]bool{"done": false}).Want(http.StatusNoContent)
		if left := sentences(""); len(left) != 2 {
			t.Errorf("left: %v", left)
		}
		admin.Do("PATCH", "/api/v1/help/sentences/01JZZZZZZZZZZZZZZZZZZZZZZZ", map[string]bool{"done": true}).Refused(http.StatusNotFound, "no_sentence")

		// Whoever is no administrator any more marks nothing, though they were one when they signed in.
		in.Change("UPDATE users SET role = 'member' WHERE email = 'boss@example.test'")
		admin.Do("PATCH", mark, map[string]bool{"done": true}).Refused(http.StatusForbidden, "not_permitted")
	})
}

// TestVotesTellNothingOfWhoVoted: what is kept of two votes of one visitor has nothing in common, and neither is the cookie.
func TestVotesTellNothingOfWhoVoted(t *testing.T) {
	in := servertest.OnSQLite(t)
	ada := visitor(in)
	answer := vote(ada, "sign-in", "yes").Want(http.StatusSeeOther)
	cookie, err := http.ParseSetCookie(answer.Header.Get("Set-Cookie"))
	if err != nil || cookie.Name != "secondstep_visitor" || cookie.Path != "/help" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Fatalf("the cookie: %+v, %v", cookie, err)
	}
	if again := vote(ada, "lost-phone", "yes").Want(http.StatusSeeOther); len(again.Header["Set-Cookie"]) > 0 {
		t.Error("a second cookie")
	}
	visitors := in.Column("SELECT hex(visitor) FROM help_votes")
	if len(visitors) != 2 || visitors[0] == visitors[1] {
		t.Errorf("visitors: %v", visitors)
	}
	for name, content := range in.Files() {
		if strings.Contains(string(content), cookie.Value) {
			t.Errorf("%s has the cookie", name)
		}
	}
	if log := in.First().Log.String(); strings.Contains(log, cookie.Value) {
		t.Error("the log has the cookie")
	}
	in.Clock.Advance(401 * 24 * time.Hour)
	if _, err := in.First().Upkeep.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := in.Column("SELECT id FROM help_votes"); len(left) != 0 {
		t.Errorf("votes of more than a year ago: %v", left)
	}
}

// TestFormsOfOthers is row 67 for the forms of the help: whatever another site sends changes nothing.
func TestFormsOfOthers(t *testing.T) {
	in := servertest.OnSQLite(t)
	form := url.Values{"helpful": {"yes"}}.Encode()
	const kind = "application/x-www-form-urlencoded"
	cases := map[string]struct {
		site, origin, kind, body string
		status                   int
	}{
		"another site":                 {"cross-site", "null", kind, form, http.StatusForbidden},
		"a sibling":                    {"same-site", "https://other.example.test", kind, form, http.StatusForbidden},
		"another origin":               {"same-origin", "https://evil.example", kind, form, http.StatusForbidden},
		"null, and no word of where":   {"", "null", kind, form, http.StatusForbidden},
		"another origin alone":         {"", "https://evil.example", kind, form, http.StatusForbidden},
		"JSON":                         {"same-origin", "null", "application/json", form, http.StatusBadRequest},
		"text":                         {"same-origin", "null", "text/plain", form, http.StatusBadRequest},
		"a field twice":                {"same-origin", "null", kind, form + "&helpful=no", http.StatusBadRequest},
		"broken":                       {"same-origin", "null", kind, "helpful=%zz", http.StatusBadRequest},
		"a control character":          {"same-origin", "null", kind, form + "&x=%07", http.StatusBadRequest},
		"neither yes nor no":           {"same-origin", "null", kind, "helpful=perhaps", http.StatusUnprocessableEntity},
		"an index that crashed others": {"same-origin", "null", kind, "a.18446744073704=x&a[-1]=x", http.StatusUnprocessableEntity},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			client := in.For(t).Browser(servertest.Firefox)
			client.Stay()
			for header, value := range map[string]string{"Sec-Fetch-Site": c.site, "Origin": c.origin, "Content-Type": c.kind} {
				if value != "" {
					client.Header.Set(header, value)
				}
			}
			client.Do("POST", "/help/sign-in/vote", c.body).Want(c.status)
		})
	}
	for _, path := range []string{"/help/sign-in/vote?helpful=yes", "/help/sign-in/sentence"} {
		visitor(in).Do("GET", path, nil).Want(http.StatusNotFound)
	}
	vote(visitor(in), "nothing", "yes").Want(http.StatusNotFound)
	send(visitor(in), "/help/sign-in", nil).Want(http.StatusNotFound)
	if votes := in.Column("SELECT id FROM help_votes"); len(votes) != 0 {
		t.Errorf("votes: %v", votes)
	}
}

// TestBudgets is row 47 for the help: a network searches and sends forms so often, and reads as often as it likes.
func TestBudgets(t *testing.T) {
	in := servertest.OnSQLite(t)
	reader := visitor(in)
	last := func(times int, act func() *servertest.Answer) *servertest.Answer {
		t.Helper()
		for range times - 1 {
			if answer := act(); answer.Status >= http.StatusBadRequest {
				t.Fatalf("%d %s", answer.Status, answer.Raw)
			}
		}
		return act()
	}
	search := func() *servertest.Answer { return reader.Do("GET", "/help/search?q=phone", nil) }
	slow := last(61, search).Want(http.StatusTooManyRequests)
	if !strings.Contains(string(slow.Raw), "That was too often") || slow.Header.Get("Retry-After") != "60" {
		t.Errorf("%v %s", slow.Header, slow.Raw)
	}
	last(61, func() *servertest.Answer { return vote(visitor(in), "sign-in", "yes") }).Want(http.StatusTooManyRequests)
	if votes := in.Column("SELECT id FROM help_votes"); len(votes) != 60 {
		t.Errorf("%d votes", len(votes))
	}
	reader.Do("GET", "/help/sign-in", nil).Want(http.StatusOK)
	in.Clock.Advance(time.Minute)
	search().Want(http.StatusOK)
	in.Clock.Advance(time.Hour)
	vote(reader, "sign-in", "yes").Want(http.StatusSeeOther)
}

// TestOwnFolder shows an installation's own article, with its picture and its chat, to whoever asks in its language.
func TestOwnFolder(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{
		"en/guests.md":      "---\ntitle: Guests of {brand}\nsummary: How they get in.\norder: 1\nupdated: 2026-11-25\naudience: everybody\n---\n\n![A plan](plan.png)\n",
		"pictures/plan.png": "a picture",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := servertest.OnSQLite(t, servertest.Options{HelpFolder: folder, ChatURL: "https://chat.example.test/?a=b&c", Brand: "<Acme & Co>"})
	reader := visitor(in)
	page := string(reader.Do("GET", "/help/guests", nil).Want(http.StatusOK).Raw)
	for _, want := range []string{"Guests of &lt;Acme &amp; Co&gt;", `href="https://chat.example.test/?a=b&amp;c"`, `src="/help/pictures/plan.png"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
	picture := reader.Do("GET", "/help/pictures/plan.png", nil).Want(http.StatusOK)
	if string(picture.Raw) != "a picture" || picture.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%v %s", picture.Header, picture.Raw)
	}
}

// TestLook: the name and the colour are those that an administrator set, at once, and no name of theirs is markup.
func TestLook(t *testing.T) {
	in := servertest.OnSQLite(t)
	app := in.Protected("boss@example.test", "administrator")
	boss := in.SignedIn("boss@example.test", app, servertest.Firefox)
	reader := visitor(in)
	read := func() string {
		t.Helper()
		return string(reader.Do("GET", "/help", nil).Want(http.StatusOK).Raw) + string(reader.Do("GET", "/help/what-it-is", nil).Want(http.StatusOK).Raw)
	}
	if before := read(); !strings.Contains(before, "MailMachine") || strings.Contains(before, "/accent/") {
		t.Errorf("before: %s", before)
	}
	boss.Do("PATCH", "/api/v1/settings", map[string]any{"brand": `A&B <i>*x*"`, "accent": "#0a7a55"}).Want(http.StatusOK)
	after := read()
	for _, want := range []string{`A&amp;B &lt;i&gt;*x*&#34;`, `<link rel="stylesheet" href="/accent/0a7a55.css">`} {
		if !strings.Contains(after, want) {
			t.Errorf("%s is not in %s", want, after)
		}
	}
	for _, never := range []string{"MailMachine", "<i>", "\ue000"} {
		if strings.Contains(after, never) {
			t.Errorf("%q is in %s", never, after)
		}
	}
}
