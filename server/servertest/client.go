package servertest

import (
	"bytes"
	"encoding/base32"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
)

// Firefox and Safari are the browsers of the tests.
const (
	Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	Safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1"
)

// Client is a browser: it keeps cookies, and may talk to several instances of one installation in turn.
type Client struct {
	Header http.Header // sent with every request

	t    testing.TB
	urls []string
	turn int
	http *http.Client
}

// Browser opens a browser on the installation; its requests go to the instances in turn.
func (in *Installation) Browser(userAgent string) *Client {
	in.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		in.t.Fatal(err)
	}
	client := &Client{t: in.t, http: &http.Client{Jar: jar}, Header: http.Header{"User-Agent": {userAgent}}}
	for _, instance := range in.Instances {
		client.urls = append(client.urls, instance.URL)
	}
	return client
}

// On is the same browser, cookies and all, for one instance alone.
func (c *Client) On(instance *Instance) *Client {
	return &Client{t: c.t, http: c.http, Header: c.Header.Clone(), urls: []string{instance.URL}}
}

// Stay lets the browser show where it is led, in place of going there.
func (c *Client) Stay() {
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

// Answer is what the server said.
type Answer struct {
	Status int
	Header http.Header
	Raw    []byte
	Body   map[string]any // nil where it is no JSON object

	t testing.TB
}

// Do sends a request; a nil body sends none, a string is sent as it is, anything else as JSON.
func (c *Client) Do(method, path string, body any) *Answer {
	c.t.Helper()
	answer, err := c.Try(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

// Try is Do for callers that may not end the test, such as goroutines.
func (c *Client) Try(method, path string, body any) (*Answer, error) {
	var reader io.Reader
	switch content := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(content)
	default:
		text, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, c.urls[c.turn%len(c.urls)]+path, reader)
	if err != nil {
		return nil, err
	}
	c.turn++
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range c.Header {
		request.Header[name] = values
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer := &Answer{Status: response.StatusCode, Header: response.Header, t: c.t}
	if answer.Raw, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	if len(answer.Raw) > 0 && answer.Raw[0] == '{' && answer.Header.Get("Content-Type") != "application/x-ndjson" { // of which each line is one
		return answer, json.Unmarshal(answer.Raw, &answer.Body)
	}
	return answer, nil
}

// Cookie is the value of a cookie that the browser holds; empty without one.
func (c *Client) Cookie(name string) string {
	for _, cookie := range c.http.Jar.Cookies(c.address()) {
		if cookie.Name == name {
			return cookie.Value
		}
	}
	return ""
}

// Plant puts a cookie into the browser.
func (c *Client) Plant(name, value string) {
	c.http.Jar.SetCookies(c.address(), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (c *Client) address() *url.URL {
	address, err := url.Parse(c.urls[0])
	if err != nil {
		c.t.Fatal(err)
	}
	return address
}

// Want fails the test unless the answer has the status, and gives the answer back.
func (a *Answer) Want(status int) *Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Raw)
	}
	return a
}

// Refused fails the test unless the answer is a refusal with the status and the code.
func (a *Answer) Refused(status int, code string) *Answer {
	a.t.Helper()
	a.Want(status)
	if a.Body["code"] != code {
		a.t.Fatalf("code %v, want %s: %s", a.Body["code"], code, a.Raw)
	}
	return a
}

// Diagnosed fails the test unless the answer refuses a code for the reason, and gives the diagnosis.
func (a *Answer) Diagnosed(reason string) map[string]any {
	a.t.Helper()
	status := http.StatusUnprocessableEntity
	if reason == "too_many_attempts" {
		status = http.StatusTooManyRequests
	}
	a.Refused(status, "code_refused")
	why, _ := a.Body["diagnosis"].(map[string]any)
	if why["reason"] != reason {
		a.t.Fatalf("reason %v, want %s: %s", why["reason"], reason, a.Raw)
	}
	return why
}

// Text is a text of the answer's body.
func (a *Answer) Text(name string) string {
	a.t.Helper()
	text, ok := a.Body[name].(string)
	if !ok {
		a.t.Fatalf("no %s in %s", name, a.Raw)
	}
	return text
}

// Texts is a list of texts of the answer's body.
func (a *Answer) Texts(name string) []string {
	a.t.Helper()
	list, ok := a.Body[name].([]any)
	if !ok {
		a.t.Fatalf("no list %s in %s", name, a.Raw)
	}
	texts := make([]string, len(list))
	for n := range list {
		texts[n], _ = list[n].(string)
	}
	return texts
}

// Phone is an authenticator app with one entry, whose clock may be wrong.
type Phone struct {
	Secret []byte
	Behind time.Duration

	clock *Clock
}

// Code is what the phone shows now.
func (p *Phone) Code() string { return p.CodeIn(0) }

// CodeIn is what the phone shows so much later; a negative time is before.
func (p *Phone) CodeIn(later time.Duration) string {
	return totp.Code(p.Secret, totp.Step(p.clock.Now().Add(later-p.Behind)))
}

// Scan takes a secret into a phone.
func (in *Installation) Scan(secret string) *Phone {
	in.t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		in.t.Fatal(err)
	}
	return &Phone{Secret: raw, clock: in.Clock}
}

// Paths of the person's own Security page.
const (
	Security   = "/api/v1/users/me/security"
	Enrolments = Security + "/enrolments"
)

// Password gives e-mail address and password.
func (c *Client) Password(email string) *Answer {
	c.t.Helper()
	return c.Do("POST", "/api/v1/sign-in", map[string]string{"email": email, "password": Password})
}

// Code gives a code as second step of a pending sign-in.
func (c *Client) Code(code string) *Answer {
	c.t.Helper()
	return c.Do("POST", "/api/v1/sign-in/totp", map[string]string{"code": code})
}

// Prove gives fresh proof; an empty code sends none.
func (c *Client) Prove(code string) *Answer {
	c.t.Helper()
	body := map[string]string{"password": Password}
	if code != "" {
		body["code"] = code
	}
	return c.Do("POST", "/api/v1/session/proof", body)
}

// Confirm gives a code of the app that is being enrolled.
func (c *Client) Confirm(enrolment, code string) *Answer {
	c.t.Helper()
	return c.Do("POST", Enrolments+"/"+enrolment+"/confirm", map[string]string{"code": code})
}

// Enrolled is somebody with 2-step verification on.
type Enrolled struct {
	*Phone
	Codes []string // the ten backup codes
	ID    string   // of the factor
}

// Enrol takes a signed-in browser through the whole wizard, and moves the clock to the next code.
func (in *Installation) Enrol(c *Client) *Enrolled {
	c.t.Helper()
	begun := c.Do("POST", Enrolments, map[string]string{"name": "iPhone"}).Want(http.StatusCreated)
	phone := in.Scan(begun.Text("secret"))
	id := begun.Text("id")
	confirmed := c.Confirm(id, phone.Code()).Want(http.StatusOK)
	c.Do("POST", Enrolments+"/"+id+"/activate", nil).Want(http.StatusOK)
	in.Clock.NextStep()
	return &Enrolled{Phone: phone, Codes: confirmed.Texts("backup_codes"), ID: id}
}

// Protected adds a person, turns 2-step verification on for them and signs them out again.
func (in *Installation) Protected(email, role string) *Enrolled {
	in.t.Helper()
	in.AddPerson("Ada Admin", email, role)
	browser := in.Browser(Firefox)
	browser.Password(email).Want(http.StatusOK)
	enrolled := in.Enrol(browser)
	browser.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
	return enrolled
}

// SignedIn opens a browser in which a protected person is signed in, with fresh proof by the app.
func (in *Installation) SignedIn(email string, enrolled *Enrolled, userAgent string) *Client {
	in.t.Helper()
	browser := in.Browser(userAgent)
	browser.Password(email).Want(http.StatusOK)
	browser.Code(enrolled.Code()).Want(http.StatusOK)
	in.Clock.NextStep()
	return browser
}
