package people_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

var tokenOfLink = regexp.MustCompile(`/(join|enrol)#token=([A-Za-z0-9_-]+)`)

// Where mail leaves, a link goes to the person alone: whoever made it does not see it (security.md, enrolment link).
func TestLinksAreMailed(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.Protected("boss@example.test", "administrator")
		browser := in.SignedIn("boss@example.test", boss, servertest.Firefox)
		in.Mails()

		mailed := func(to, page string) string {
			t.Helper()
			for _, letter := range in.Mails() {
				if found := tokenOfLink.FindStringSubmatch(letter.Text); letter.To == to && found != nil && found[1] == page {
					return found[2]
				}
			}
			t.Fatalf("no link to /%s came to %s", page, to)
			return ""
		}
		answer := browser.Do("POST", "/api/v1/users", map[string]string{"name": "Bob", "email": "bob@example.test", "role": "member"}).Want(http.StatusCreated)
		if answer.Body["invitation_link"] != nil {
			t.Errorf("the administrator sees the link: %s", answer.Raw)
		}
		bob := in.Browser(servertest.Safari)
		bob.Do("POST", "/api/v1/join", map[string]string{"token": mailed("bob@example.test", "join"), "password": servertest.Password}).Want(http.StatusOK)
		in.Enrol(bob)
		in.Mails()

		id := answer.Body["user"].(map[string]any)["id"].(string)
		reset := browser.Do("POST", "/api/v1/users/"+id+"/security/reset", map[string]string{
			"password": servertest.Password, "code": boss.Code(), "reason": "Lost the phone.",
		}).Want(http.StatusOK)
		if reset.Body["enrolment_link"] != nil {
			t.Errorf("the administrator sees the link: %s", reset.Raw)
		}
		token := mailed("bob@example.test", "enrol")
		back := in.Browser(servertest.Safari)
		back.Password("bob@example.test").Want(http.StatusOK)
		back.Do("POST", "/api/v1/sign-in/enrolment-link", map[string]string{"token": token}).Want(http.StatusOK)
	}, servertest.Options{Mail: true})
}
