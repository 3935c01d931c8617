package mfa_test

import (
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// A session that gave no second step while none was asked for does not outlive the asking.
func TestLiftingOffEndsWhatGaveNoSecondStep(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		chief := in.Protected("chief@example.test", "administrator")
		in.Protected("bo@example.test", "member")
		id := in.Column("SELECT id FROM users WHERE email = 'bo@example.test'")[0]
		boss := in.SignedIn("chief@example.test", chief, servertest.Firefox)
		requirement := "/api/v1/users/" + id + "/security/requirement"
		boss.Do("PUT", requirement, map[string]string{"requirement": "off", "reason": "Shares a phone."}).Want(204)
		bo := in.Browser(servertest.Safari)
		if bo.Password("bo@example.test").Want(200).Text("state") != "signed_in" {
			t.Fatal("a second step was asked for")
		}
		boss.Do("PUT", requirement, map[string]string{"requirement": "allowed"}).Want(204)
		bo.Do("GET", "/api/v1/session", nil).Refused(401, "session_ended")
	})
}
