package help_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// The pages of tickets do without a script: forms and links are all there is. What holds of tickets themselves is tested in
// their room.

var ticketLink = regexp.MustCompile(`/help/ticket#token=([0-9A-Z-]{35})&(?:amp;)?reference=([0-9A-Z]{5}-[0-9A-Z]{5})`)

func letter(more ...string) url.Values {
	form := url.Values{"name": {"Grace"}, "email": {"stranger@example.test"}, "subject": {"It will not open"}, "text": {"Hello,\r\n\r\nit will not."}}
	for n := 0; n+1 < len(more); n += 2 {
		form.Set(more[n], more[n+1])
	}
	return form
}

func holds(t *testing.T, answer *servertest.Answer, status int, wants ...string) string {
	t.Helper()
	page := string(answer.Want(status).Raw)
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in %s", want, page)
		}
	}
	if cache := answer.Header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("kept: %q", cache) // row 69
	}
	return page
}

// A stranger writes, opens the mail's link, reads the answer, writes back, and solves it (rows 6, 48, 67).
func TestContactByMail(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		app := in.Protected("boss@example.test", "administrator")
		support := in.SignedIn("boss@example.test", app, servertest.Firefox)
		in.Mails()
		c := visitor(in)
		holds(t, c.Do("GET", "/help/contact", nil), 200, "Contact support", `name="email"`, "First a link comes")
		known, strange := send(c, "/help/contact", letter("email", "boss@example.test")), send(c, "/help/contact", letter())
		leadsTo(t, known, "/help/contact?said=sent")
		leadsTo(t, strange, "/help/contact?said=sent")
		for _, answer := range []*servertest.Answer{known, strange} {
			for _, drawn := range []string{"Date", "X-Request-Id"} {
				answer.Header.Del(drawn)
			}
		}
		if string(known.Raw) != string(strange.Raw) || len(known.Header) != len(strange.Header) {
			t.Errorf("%v %s, %v %s", known.Header, known.Raw, strange.Header, strange.Raw)
		}
		holds(t, c.Do("GET", "/help/contact?said=sent", nil), 200, "Check your mail")
		reference, key := "", ""
		for _, mail := range in.Mails() {
			if found := ticketLink.FindStringSubmatch(mail.Text); mail.To == "stranger@example.test" && found != nil {
				key, reference = found[1], found[2]
			}
			if !strings.Contains(mail.Text, "Key: ") || !strings.Contains(mail.Text, "Ticket: ") {
				t.Errorf("%s", mail.Text)
			}
		}
		form := func(act string, more ...string) url.Values {
			made := url.Values{"act": {act}, "reference": {reference}, "key": {key}}
			for n := 0; n+1 < len(more); n += 2 {
				made.Set(more[n], more[n+1])
			}
			return made
		}
		holds(t, c.Do("GET", "/help/ticket", nil), 200, `name="reference"`, `name="key"`, "<noscript>", "Both stand at the end of the link")
		holds(t, send(c, "/help/ticket", form("read", "key", "x")), 404, "There is no ticket with this reference and this key")
		for range 2 {
			asked := holds(t, send(c, "/help/ticket", form("read")), 200, "Did you write this?", "stranger@example.test", "Grace", "It will not open", "Hello,\n\nit will not.",
				`value="prove"`, "Yes, I wrote this: send it", `value="discard"`, "I didn&#39;t write this")
			if strings.Contains(asked, "With the support") || strings.Contains(asked, `value="reply"`) {
				t.Errorf("it is with the support: %s", asked)
			}
		}
		page := holds(t, send(c, "/help/ticket", form("prove")), 200, "Your ticket is with the support.", "It will not open", "Hello,\n\nit will not.", "With the support", `value="`+key+`"`)
		if strings.Contains(page, "Support</strong>") {
			t.Errorf("answered already: %s", page)
		}
		holds(t, send(c, "/help/ticket", form("discard")), 409, "This ticket is with the support already", "It will not open")
		id := in.Column("SELECT id FROM tickets WHERE reference = ?", reference)[0]
		support.Do("POST", "/api/v1/tickets/"+id+"/reply", map[string]any{"lines": []string{"Press <b>harder</b>."}}).Want(200)
		holds(t, send(c, "/help/ticket", form("read")), 200, "Press &lt;b&gt;harder&lt;/b&gt;.", "Waits for you")
		holds(t, send(c, "/help/ticket", form("reply", "text", " ")), 422, "Something is to be mended", `aria-describedby="text-error text-hint"`)
		holds(t, send(c, "/help/ticket", form("reply", "text", "It does <now>")), 200, "Your message is sent.", "It does &lt;now&gt;")
		holds(t, send(c, "/help/ticket", form("solve")), 200, "This ticket is solved.", "write back")
		// Unknown fields, acts and other sites (rows 67 and 75).
		for name, sent := range map[string]url.Values{"a field": form("read", "user_id", "x"), "an act": form("delete")} {
			if answer := send(c, "/help/ticket", sent); answer.Status != 422 {
				t.Errorf("%s: %d", name, answer.Status)
			}
		}
		send(c, "/help/contact", letter("state", "open")).Want(422)
		send(c, "/help/contact", url.Values{"email": {"a@example.test", "b@example.test"}}).Want(400)
		c.Header.Set("Sec-Fetch-Site", "cross-site")
		for _, path := range []string{"/help/contact", "/help/ticket"} {
			if answer := send(c, path, form("solve")); answer.Status != http.StatusForbidden {
				t.Errorf("%s: %d", path, answer.Status)
			}
		}
		// Row 66: the key was in no address, and is in no log.
		if log := in.First().Log.String(); strings.Contains(log, key) {
			t.Error("the log has the key")
		}
	}, servertest.Options{Mail: true})
}

// Whoever did not write it throws it away, without a script. What a stranger has written is text, and leads nowhere.
func TestContactInSomebodysName(t *testing.T) {
	in := servertest.OnSQLite(t, servertest.Options{Mail: true})
	c := visitor(in)
	send(c, "/help/contact", letter("text", "<a href=\"https://evil.example\">Press</a>\nhttps://evil.example")).Want(303)
	found := ticketLink.FindStringSubmatch(in.Mails()[0].Text)
	if found == nil {
		t.Fatal("no link")
	}
	form := func(act string) url.Values {
		return url.Values{"act": {act}, "reference": {found[2]}, "key": {found[1]}}
	}
	page := holds(t, send(c, "/help/ticket", form("read")), 200, "Did you write this?", "&lt;a href=&#34;https://evil.example&#34;&gt;Press&lt;/a&gt;\nhttps://evil.example")
	if strings.Contains(page, `href="https://evil`) {
		t.Errorf("a link: %s", page)
	}
	c.Header.Set("Sec-Fetch-Site", "cross-site") // row 67
	send(c, "/help/ticket", form("prove")).Want(http.StatusForbidden)
	c.Header.Set("Sec-Fetch-Site", "same-origin")
	holds(t, send(c, "/help/ticket", form("discard")), 200, "It is thrown away")
	if rows := in.Column("SELECT id FROM tickets"); len(rows) != 0 {
		t.Errorf("%d tickets", len(rows))
	}
	holds(t, send(c, "/help/ticket", form("discard")), 404, "There is no ticket with this reference and this key")
	holds(t, send(c, "/help/ticket", form("prove")), 404, "There is no ticket with this reference and this key")
}

// What was typed is kept, each fault stands at its field, and is tied to it.
func TestContactIsMended(t *testing.T) {
	in := servertest.OnSQLite(t)
	c := visitor(in)
	page := holds(t, send(c, "/help/contact", letter("email", `x" onfocus="alert(1)`, "subject", " ", "text", strings.Repeat("<b>", 1400))), 422,
		`role="alert"`, `value="x&#34; onfocus=&#34;alert(1)"`, `aria-describedby="email-error " aria-invalid="true" autofocus`,
		"This is no e-mail address", "This is needed.", "4000 characters at most", "&lt;b&gt;&lt;b&gt;")
	if strings.Contains(page, "<b>") {
		t.Errorf("markup: %s", page)
	}
	if rows := in.Column("SELECT id FROM tickets"); len(rows) != 0 {
		t.Errorf("%d tickets", len(rows))
	}
	// As long as the page says it may be, in any script; and no longer than a form is read (row 75).
	holds(t, send(c, "/help/contact", letter("text", strings.Repeat("漢", 4000))), 200, "Your ticket is open")
	send(c, "/help/contact", letter("text", strings.Repeat("漢", 8000))).Want(http.StatusRequestEntityTooLarge)
	send(c, "/api/v1/tickets", letter("text", strings.Repeat("漢", 4000))).Want(http.StatusRequestEntityTooLarge)
	for range 9 {
		send(c, "/help/contact", letter()).Want(200)
	}
	answer := send(c, "/help/contact", letter("text", "Kept & shown"))
	holds(t, answer, 429, "There are many tickets from here already", "Kept &amp; shown")
	if answer.Header.Get("Retry-After") == "" {
		t.Errorf("%v", answer.Header)
	}
}

// Without a mail server reference and key are shown once, and both open the ticket.
func TestContactWithoutMail(t *testing.T) {
	in := servertest.OnSQLite(t)
	c := visitor(in)
	page := holds(t, send(c, "/help/contact", letter()), 200, "Your ticket is open", "They are shown this once")
	found := ticketLink.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no link in %s", page)
	}
	holds(t, send(visitor(in), "/help/ticket", url.Values{"act": {"read"}, "reference": {found[2]}, "key": {found[1]}}), 200, "It will not open")
}

// Whoever is signed in is not asked who they are, and finds what they wrote. Of a session that is confined or over, they
// are nobody.
func TestContactSignedIn(t *testing.T) {
	in := servertest.OnSQLite(t)
	app := in.Protected("ada@example.test", "member")
	signedIn := in.SignedIn("ada@example.test", app, servertest.Firefox)
	signedIn.Stay()
	signedIn.Header.Set("Accept", "text/html")
	signedIn.Header.Set("Sec-Fetch-Site", "same-origin")
	holds(t, signedIn.Do("GET", "/help/ticket", nil), 200, "You have written no ticket yet")
	if page := holds(t, signedIn.Do("GET", "/help/contact", nil), 200, "You write as", "ada@example.test"); strings.Contains(page, `name="email"`) {
		t.Errorf("asked who they are: %s", page)
	}
	answer := send(signedIn, "/help/contact", url.Values{"subject": {"My app"}, "text": {"is gone"}}).Want(303)
	address := answer.Header.Get("Location")
	if !regexp.MustCompile(`^/help/ticket\?reference=[0-9A-Z]{5}-[0-9A-Z]{5}&said=opened$`).MatchString(address) {
		t.Fatalf("leads to %s", address)
	}
	holds(t, signedIn.Do("GET", address, nil), 200, "My app", "is gone", "The answer will be here.")
	holds(t, signedIn.Do("GET", "/help/ticket", nil), 200, "My app", "With the support")
	reference := in.Column("SELECT reference FROM tickets")[0]
	leadsTo(t, send(signedIn, "/help/ticket", url.Values{"act": {"reply"}, "reference": {reference}, "text": {"and found"}}), "/help/ticket?reference="+reference+"&said=replied#last")
	leadsTo(t, send(signedIn, "/help/ticket", url.Values{"act": {"solve"}, "reference": {reference}}), "/help/ticket?reference="+reference+"&said=solved#last")
	for name, c := range map[string]*servertest.Client{"a stranger": visitor(in)} {
		page := holds(t, c.Do("GET", "/help/ticket?reference="+reference, nil), 200, `name="key"`)
		if strings.Contains(page, "My app") {
			t.Errorf("%s reads %s", name, page)
		}
		holds(t, send(c, "/help/ticket", url.Values{"act": {"read"}, "reference": {reference}}), 404, "There is no ticket")
		holds(t, send(c, "/help/contact", url.Values{"subject": {"My app"}, "text": {"is gone"}}), 422, `name="email"`)
	}
	// The session ends between the page and the form: the ticket is a stranger's, and asks who that is.
	in.Change("DELETE FROM sessions")
	holds(t, send(signedIn, "/help/contact", url.Values{"subject": {"Kept"}, "text": {"and this"}}), 422, `name="email"`, "Kept", "and this")
}
