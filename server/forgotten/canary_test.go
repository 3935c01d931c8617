package forgotten_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// TestRows60And66: the token and the chosen password are nowhere but where they must be, at debug level: not in a row, a
// file, a log or an answer; and what is stored of a link opens nothing.
func TestRows60And66(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", adaEmail, "member")
		ask(in.Browser(servertest.Safari), adaEmail).Want(http.StatusNoContent)
		if err := in.First().Forgotten.Answer(t.Context()); err != nil { // so that the link waits in the outbox
			t.Fatal(err)
		}
		encoded := func(column string) string {
			if in.Postgres {
				return "encode(" + column + ", 'hex')"
			}
			return "hex(" + column + ")"
		}
		column := func() string {
			return strings.ToLower(strings.Join(in.Column("SELECT "+encoded("link")+" FROM outbox"), " "))
		}
		waiting := column()
		for _, hash := range in.Column("SELECT " + encoded("token_hash") + " FROM password_links") {
			raw, err := hex.DecodeString(hash)
			if err != nil {
				t.Fatal(err)
			}
			choose(in.Browser(servertest.Firefox), base64.RawURLEncoding.EncodeToString(raw), newPassword).Refused(http.StatusGone, "password_link_unknown")
		}
		found := tokens(in, adaEmail)
		if len(found) != 1 {
			t.Fatalf("%d links", len(found))
		}
		token := found[0]
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		browser := in.Browser(servertest.Firefox)
		var answers []byte
		for _, answer := range []*servertest.Answer{
			browser.Do("POST", linkPath, body{"token": token}).Want(http.StatusOK),
			choose(browser, token, "ada example").Want(http.StatusUnprocessableEntity),
			choose(browser, token, newPassword).Want(http.StatusNoContent),
			choose(browser, token, newPassword).Want(http.StatusGone),
		} {
			answers = append(answers, answer.Raw...)
		}
		places := map[string][]byte{
			"the answers": answers, "the log": []byte(in.First().Log.String()), "what waited": []byte(waiting),
			"the events": []byte(strings.Join(in.Column("SELECT kind || COALESCE(reason, '') || COALESCE(data, '') || browser FROM events"), " ")),
			"the outbox": []byte(strings.Join(in.Column("SELECT facts || kind || problem FROM outbox"), " ") + column()),
		}
		for name, content := range in.Files() {
			places["the file "+name] = content
		}
		for where, text := range places {
			for _, secret := range [][]byte{[]byte(token), raw, []byte(hex.EncodeToString(raw)), []byte(hex.EncodeToString([]byte(token))), []byte(newPassword)} {
				if bytes.Contains(text, secret) {
					t.Errorf("%q is in %s", secret, where)
				}
			}
		}
	}, mails)
}
