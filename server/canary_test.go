package server_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"index/suffixarray"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/secondstep/secondstep/server/servertest"
)

const (
	canaryPassword = "Kanarienvogel 7Q singt leise"
	wrongPassword  = "Kanarienvogel 8X singt falsch"
)

// canaries are what may be nowhere but where it must be, by what they are called.
type canaries struct {
	t       *testing.T
	in      *servertest.Installation
	secrets map[string][]byte
	answers []seen
}

// seen is an answer with the names of the secrets that it must carry; it may carry no other.
type seen struct {
	place
	what    string
	carries []string
}

func (c *canaries) keep(name, secret string) string {
	c.secrets[name] = []byte(secret)
	return secret
}

// do sends a request and keeps the answer for the search. Cookies that it sets are kept as secrets themselves.
func (c *canaries) do(client *servertest.Client, method, path string, body any, carries ...string) *servertest.Answer {
	c.t.Helper()
	answer := client.Do(method, path, body)
	text := bytes.Clone(answer.Raw)
	for header, values := range answer.Header {
		for _, value := range values {
			if header != "Set-Cookie" {
				text = append(text, "\n"+header+": "+value...)
				continue
			}
			cookie, err := http.ParseSetCookie(value)
			if err != nil {
				c.t.Fatal(err)
			}
			if cookie.Value == "" {
				continue
			}
			raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
			if err != nil || len(raw) != 32 {
				c.t.Fatalf("%s is not 32 bytes", cookie.Name)
			}
			c.secrets[fmt.Sprintf("%s %d", cookie.Name, len(c.secrets))] = raw
		}
	}
	c.answers = append(c.answers, seen{newPlace(text), method + " " + path, carries})
	return answer
}

// codes keeps ten backup codes: as shown, as typed without dashes, and the part of them that is a secret.
func (c *canaries) codes(set string, shown []string) []string {
	for n, code := range shown {
		plain := strings.ReplaceAll(code, "-", "")
		c.keep(fmt.Sprintf("%s %d shown", set, n+1), code)
		c.keep(fmt.Sprintf("%s %d plain", set, n+1), plain)
		c.keep(fmt.Sprintf("%s %d secret", set, n+1), plain[2:])
	}
	return shown
}

// forms are the ways in which a secret might be written.
func forms(secret []byte) [][]byte {
	text := []string{
		base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret),
		base64.RawStdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
		hex.EncodeToString(secret), url.QueryEscape(string(secret)),
	}
	all := [][]byte{secret}
	for _, one := range text {
		all = append(all, []byte(one), []byte(strings.ToLower(one)), []byte(strings.ToUpper(one)))
	}
	return all
}

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// place is a text that is searched for many secrets.
type place struct {
	text  []byte
	index *suffixarray.Index
}

func newPlace(text []byte) place { return place{text, suffixarray.New(text)} }

// holds finds the secret in any form. Six digits count where they stand alone, not inside a longer word or number.
func (p place) holds(secret []byte) bool {
	if !sixDigits.Match(secret) {
		return slices.ContainsFunc(forms(secret), func(form []byte) bool { return len(p.index.Lookup(form, 1)) > 0 })
	}
	return slices.ContainsFunc(p.index.Lookup(secret, -1), func(at int) bool {
		return !wordAt(p.text, at-1) && !wordAt(p.text, at+len(secret))
	})
}

func wordAt(text []byte, at int) bool {
	return at >= 0 && at < len(text) && (unicode.IsLetter(rune(text[at])) || unicode.IsDigit(rune(text[at])))
}

// search looks for every secret in every answer, log line, file and row.
func (c *canaries) search() {
	c.t.Helper()
	places := map[string]place{"the rows": newPlace(dump(c.t, c.in))}
	for n, instance := range c.in.Instances {
		places[fmt.Sprintf("the log of instance %d", n+1)] = newPlace([]byte(instance.Log.String()))
	}
	for file, content := range c.in.Files() {
		places["the file "+file] = newPlace(content)
	}
	for name, secret := range c.secrets {
		for where, place := range places {
			if place.holds(secret) {
				c.t.Errorf("%s is in %s", name, where)
			}
		}
		for _, answer := range c.answers {
			may := slices.ContainsFunc(answer.carries, func(kind string) bool { return strings.HasPrefix(name, kind) })
			if !may && answer.holds(secret) {
				c.t.Errorf("%s is in the answer to %s", name, answer.what)
			}
		}
	}
	for name, stored := range storedSecrets(c.in) {
		for n, one := range stored {
			for _, answer := range c.answers {
				if answer.holds(one) {
					c.t.Errorf("%s %d is in the answer to %s", name, n, answer.what)
				}
			}
			for where, place := range places {
				if strings.HasPrefix(where, "the log") && place.holds(one) {
					c.t.Errorf("%s %d is in %s", name, n, where)
				}
			}
		}
	}
}

// dump writes every value of every row of every table, as a backup of the database would.
func dump(t *testing.T, in *servertest.Installation) []byte {
	t.Helper()
	tables := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if in.Postgres {
		tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	var text bytes.Buffer
	for _, table := range in.Column(tables) {
		dumpTable(t, in, table, &text)
	}
	if !bytes.Contains(text.Bytes(), []byte("users.password_hash=$argon2id$")) {
		t.Fatal("the dump holds no rows")
	}
	return text.Bytes()
}

func dumpTable(t *testing.T, in *servertest.Installation, table string, text *bytes.Buffer) {
	t.Helper()
	rows, err := in.First().Database.Read().QueryContext(context.Background(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for n := range values {
			places[n] = &values[n]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		for n, value := range values {
			fmt.Fprintf(text, "%s.%s=", table, columns[n])
			if raw, ok := value.([]byte); ok {
				text.Write(raw)
			} else {
				fmt.Fprint(text, value)
			}
			text.WriteByte('\n')
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// another is a code that is not this one.
func another(code string) string {
	last := code[5] - '0'
	return code[:5] + string('0'+(last+1)%10)
}

// TestCanary is rows 17, 60 and 66 of security.md: the whole flow at debug level, and then a search of every place.
func TestCanary(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		c := &canaries{t: t, in: in, secrets: map[string][]byte{}}
		setup := c.keep("the setup token", in.First().SetupToken())
		c.keep("the password", canaryPassword)
		c.keep("the wrong password", wrongPassword)
		browser, other := in.Browser(servertest.Firefox), in.Browser(servertest.Safari)
		email := "x&secret=AAAA@example.test"
		signIn := func(client *servertest.Client, password string) *servertest.Answer {
			return c.do(client, "POST", "/api/v1/sign-in", map[string]string{"email": email, "password": password})
		}
		typed := func(code string) map[string]string {
			return map[string]string{"code": c.keep(fmt.Sprintf("the typed code %d", len(c.secrets)), code)}
		}

		given := func(code string) map[string]string { return map[string]string{"code": code} } // kept when it was shown

		person := map[string]string{"token": setup + "x", "name": "Ada & Co", "email": email, "password": canaryPassword}
		c.do(browser, "POST", "/api/v1/setup", person).Want(http.StatusGone)
		person["token"] = setup
		c.do(browser, "POST", "/api/v1/setup", person).Want(http.StatusOK)
		c.do(browser, "POST", "/api/v1/setup", person).Want(http.StatusGone)

		begun := c.do(browser, "POST", servertest.Enrolments, map[string]string{"name": "iPhone"}, "the secret 1").Want(http.StatusCreated)
		if cache := begun.Header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("the secret may be kept: %s", cache)
		}
		phone := in.Scan(begun.Text("secret"))
		c.keep("the secret 1", string(phone.Secret))
		uri, err := url.Parse(begun.Text("otpauth_uri"))
		if err != nil || uri.Query().Get("secret") != begun.Text("secret") || len(uri.Query()["secret"]) != 1 {
			t.Errorf("an address changed the secret of the QR code: %v", err)
		}
		id := servertest.Enrolments + "/" + begun.Text("id")
		c.do(browser, "GET", servertest.Enrolments+"/current", nil, "the secret 1").Want(http.StatusOK)
		c.do(browser, "POST", id+"/confirm", typed(another(phone.Code()))).Want(http.StatusUnprocessableEntity)
		confirmed := c.do(browser, "POST", id+"/confirm", typed(phone.Code()), "set 1").Want(http.StatusOK)
		c.codes("set 1", confirmed.Texts("backup_codes"))
		if current := c.do(browser, "GET", servertest.Enrolments+"/current", nil).Want(http.StatusOK); current.Body["secret"] != nil {
			t.Error("a confirmed secret is shown")
		}
		c.codes("set 2", c.do(browser, "POST", id+"/backup-codes", nil, "set 2").Want(http.StatusOK).Texts("backup_codes"))
		c.do(browser, "POST", id+"/activate", nil).Want(http.StatusOK)

		signIn(other, wrongPassword).Want(http.StatusUnauthorized)
		c.do(other, "POST", "/api/v1/sign-in", map[string]string{"email": wrongPassword, "password": canaryPassword}).Want(http.StatusUnauthorized)
		signIn(other, canaryPassword).Want(http.StatusOK)
		c.do(other, "POST", "/api/v1/sign-in/totp", typed(phone.Code())).Diagnosed("already_used")
		c.do(other, "GET", "/api/v1/sign-in", nil).Want(http.StatusOK)
		in.Clock.NextStep()
		c.do(other, "POST", "/api/v1/sign-in/totp", typed(another(phone.Code()))).Want(http.StatusUnprocessableEntity)
		c.do(other, "POST", "/api/v1/sign-in/totp", typed(phone.Code())).Want(http.StatusOK)

		proof := func(client *servertest.Client, password, code string) *servertest.Answer {
			body := typed(code)
			body["password"] = password
			return c.do(client, "POST", "/api/v1/session/proof", body)
		}
		in.Clock.NextStep()
		proof(browser, wrongPassword, phone.Code()).Want(http.StatusUnprocessableEntity)
		proof(browser, canaryPassword, another(phone.Code())).Want(http.StatusUnprocessableEntity)
		proof(browser, canaryPassword, phone.Code()).Want(http.StatusOK)
		made := c.do(browser, "POST", servertest.Security+"/backup-codes", map[string]string{"password": canaryPassword}, "set 3").Want(http.StatusOK)
		codes := c.codes("set 3", made.Texts("backup_codes"))
		c.do(browser, "POST", servertest.Security+"/backup-codes/activate", nil).Want(http.StatusOK)

		signIn(other, canaryPassword).Want(http.StatusOK)
		c.do(other, "POST", "/api/v1/sign-in/backup-code", given(codes[3])).Want(http.StatusOK)
		signIn(other, canaryPassword).Want(http.StatusOK)
		c.do(other, "POST", "/api/v1/sign-in/backup-code", given(codes[3])).Diagnosed("backup_code_used")

		c.stray(browser, given(codes[4]))
		c.look(browser, in.Column("SELECT id FROM users")[0])
		// An enrolment that replaces the app, so that a secret is retired, and one that stays unfinished.
		held := in.Column("SELECT id FROM totp_apps")[0]
		replacing := c.do(browser, "POST", servertest.Enrolments, map[string]string{"replaces": held}, "the secret 2").Want(http.StatusCreated)
		phone2 := in.Scan(replacing.Text("secret"))
		c.keep("the secret 2", string(phone2.Secret))
		c.do(browser, "POST", servertest.Enrolments+"/"+replacing.Text("id")+"/confirm", typed(phone2.Code())).Want(http.StatusOK)
		pending := c.do(browser, "POST", servertest.Enrolments, map[string]string{}, "the secret 3").Want(http.StatusCreated)
		c.keep("the secret 3", string(in.Scan(pending.Text("secret")).Secret))
		signIn(other, canaryPassword).Want(http.StatusOK)
		c.look(browser, "me")
		// A reset, whose link is in its own answer alone.
		in.Clock.NextStep()
		eve := in.AddPerson("Eve", "eve@example.test", "member")
		in.Change("UPDATE users SET mfa_since = created_at WHERE id = ?", eve)
		reset := typed(phone2.Code())
		reset["password"], reset["reason"] = canaryPassword, "Lost the phone."
		link := c.do(browser, "POST", "/api/v1/users/"+eve+"/security/reset", reset, "the enrolment link").Want(http.StatusOK).Text("enrolment_link")
		_, token, _ := strings.Cut(link, "#token=")
		raw, err := base64.RawURLEncoding.DecodeString(c.keep("the enrolment link as text", token))
		if err != nil || len(raw) != 32 {
			t.Fatalf("%s", link)
		}
		c.keep("the enrolment link", string(raw))
		late := in.Browser(servertest.Safari)
		c.do(late, "POST", "/api/v1/sign-in", map[string]string{"email": "eve@example.test", "password": servertest.Password}).Want(http.StatusOK)
		c.do(late, "POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": wrongPassword}).Want(http.StatusGone)
		c.look(browser, eve)
		invitation := c.do(browser, "POST", "/api/v1/users", map[string]string{"name": "Nia", "email": "nia@example.test", "role": "member"}, "the invitation").Want(http.StatusCreated)
		_, joining, _ := strings.Cut(invitation.Text("invitation_link"), "#token=")
		c.keep("the invitation", joining)
		c.do(other, "POST", "/api/v1/join/invitation", map[string]string{"token": joining}).Want(http.StatusOK)
		c.do(other, "POST", "/api/v1/join", map[string]string{"token": joining, "password": wrongPassword + strings.Repeat("x", 2000)}).Want(http.StatusUnprocessableEntity)
		// A new address, whose link is in the answer to the administrator alone, where no mail leaves. What stops a change is
		// mailed, or is nowhere.
		in.Change("UPDATE users SET reset_at = NULL WHERE id = ?", eve)
		moved := c.do(browser, "POST", "/api/v1/users/"+eve+"/email", map[string]string{"email": "eva@example.test"}, "the address").Want(http.StatusOK)
		_, proving, _ := strings.Cut(moved.Text("email_link"), "#token=")
		c.keep("the address", proving)
		c.do(browser, "POST", "/api/v1/users/me/email/confirm", map[string]string{"token": proving}).Want(http.StatusGone)
		c.do(other, "POST", "/api/v1/stop", map[string]string{"token": proving}).Want(http.StatusGone)
		c.do(other, "POST", "/api/v1/stop/link", map[string]string{"token": proving}).Want(http.StatusGone)
		c.look(browser, eve)
		c.export(browser)
		for column, stored := range storedSecrets(in) {
			if len(stored) == 0 && column != "stops.token_hash" && column != "setup_links.token_hash" {
				t.Errorf("nothing is in %s, so nothing was searched for", column)
			}
		}
		c.search()

		c.do(browser, "POST", servertest.Security+"/disable", map[string]string{"password": wrongPassword}).Want(http.StatusUnprocessableEntity)
		c.do(browser, "POST", servertest.Security+"/disable", map[string]string{"password": canaryPassword}).Want(http.StatusOK)
		c.look(browser, "me")
		c.do(browser, "DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
		in.First().Stop()
		in.Another()
		in.Instances = in.Instances[1:]
		c.search()
	})
}

// stray sends secrets where they do not belong: nothing may repeat them.
func (c *canaries) stray(client *servertest.Client, code map[string]string) {
	secret := url.QueryEscape(canaryPassword)
	c.do(client, "GET", "/api/v1/users/"+url.PathEscape(canaryPassword), nil)
	c.do(client, "GET", "/"+url.PathEscape(canaryPassword), nil)
	c.do(client, "GET", "/api/"+url.PathEscape(canaryPassword), nil).Want(http.StatusNotFound)
	c.do(client, "GET", "/api/v1/users?query="+secret, nil).Want(http.StatusOK)
	c.do(client, "GET", "/api/v1/users?sort="+secret, nil).Want(http.StatusUnprocessableEntity)
	c.do(client, "GET", "/api/v1/users?cursor="+secret, nil).Want(http.StatusBadRequest)
	c.do(client, "GET", "/api/v1/users?"+secret+"=1", nil).Want(http.StatusBadRequest)
	c.do(client, "GET", "/api/v1/users?query=%00"+secret, nil)
	c.do(client, "GET", "/api/v1/audit?person="+secret, nil).Want(http.StatusOK)
	c.do(client, "GET", "/api/v1/audit?result="+secret, nil).Want(http.StatusUnprocessableEntity)
	for _, body := range []string{
		canaryPassword, `"` + canaryPassword + `"`, `{"` + canaryPassword + `":1}`, `{"email":["` + canaryPassword + `"]}`,
		`{"email":"a\u0000b","password":"` + canaryPassword + `"}`, `{"email":"x","password":"` + canaryPassword + `","` + code["code"] + `":true}`,
		`{"email":"x","password":"` + canaryPassword + strings.Repeat("x", 5000) + `"}`,
	} {
		c.do(client, "POST", "/api/v1/sign-in", body)
	}
	c.do(client, "PUT", servertest.Security+"/requirement", map[string]string{"requirement": canaryPassword})
	c.do(client, "POST", servertest.Enrolments, map[string]string{"replaces": code["code"]})
	c.do(client, "POST", "/api/v1/sign-in/totp", code) // no sign-in is pending here
	c.do(client, "POST", servertest.Enrolments+"/"+url.PathEscape(code["code"])+"/confirm", code)
	marked := *client
	marked.Header = client.Header.Clone()
	for _, header := range []string{"User-Agent", "Referer", "Accept-Language", "X-Forwarded-For", "X-Request-Id", "Authorization"} {
		marked.Header.Set(header, canaryPassword)
	}
	c.do(&marked, "GET", "/api/v1/session", nil)
	c.do(&marked, "POST", "/api/v1/sign-in", map[string]string{"email": "x@example.test", "password": wrongPassword})
	marked.Header.Set("Origin", "https://"+strings.ReplaceAll(canaryPassword, " ", ""))
	c.do(&marked, "DELETE", "/api/v1/session", nil).Want(http.StatusForbidden)
}

// export takes the whole audit log, in both forms.
func (c *canaries) export(client *servertest.Client) {
	for _, format := range []string{"jsonl", "csv"} {
		c.do(client, "GET", "/api/v1/audit/export?format="+format, nil).Want(http.StatusOK)
	}
}

// look reads everything that can be read about somebody.
func (c *canaries) look(client *servertest.Client, who string) {
	for _, path := range []string{
		"/api/v1/session", "/api/v1/users", "/api/v1/audit?limit=100", "/api/v1/audit/checkpoint", "/api/v1/users/" + who, "/api/v1/users/" + who + "/security", "/", "/healthz", "/readyz",
	} {
		c.do(client, "GET", path, nil).Want(http.StatusOK)
	}
}
