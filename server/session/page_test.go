package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// The page says what it was asked for with, so that its script sends no question that can only be refused.
func TestPageSaysWhetherThereIsASession(t *testing.T) {
	in := servertest.OnSQLite(t)
	in.AddPerson("Bo Lindqvist", "bo@example.test", "member")
	browser := in.Browser(servertest.Firefox)
	says := func(state string) {
		t.Helper()
		page := string(browser.Do("GET", "/", nil).Want(200).Raw)
		if !strings.Contains(page, `<meta name="secondstep-session" content="`+state+`">`) {
			t.Errorf("want %s in %s", state, page)
		}
	}
	says("none")
	browser.Password("bo@example.test").Want(200)
	says("live")
	in.Clock.Advance(31 * time.Minute)
	says("over")
}
