package people_test

import (
	"net/http"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// Rows 34, 56 and 80: an act that was let in while its administrator was one, and waits behind their demotion, or behind the end
// of their session, is not done.
func TestADemotedAdministratorsWaitingActIsRefused(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		boss := in.Protected("boss@example.test", "administrator")
		in.SignedIn("boss@example.test", boss, servertest.Firefox)
		second := in.Protected("second@example.test", "administrator")
		acting := in.SignedIn("second@example.test", second, servertest.Firefox)
		in.Protected("ann@example.test", "member")
		ann := in.Column("SELECT id FROM users WHERE email = 'ann@example.test'")[0]
		in.Change("UPDATE users SET name = 'Ann' WHERE id = ?", ann)
		one := "/api/v1/users/" + ann

		// Both are under way: the demotion holds the row, and whoever acts waits for it.
		demote := []string{"UPDATE users SET role = 'member' WHERE email = 'second@example.test'"}
		end := []string{"UPDATE users SET role = role WHERE email = 'second@example.test'",
			"DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE email = 'second@example.test')"}
		for _, act := range []struct {
			method, path string
			body         any
			meanwhile    []string
		}{
			{"PUT", one + "/security/requirement", map[string]string{"requirement": "required"}, demote},
			{"POST", one + "/security/unlock", nil, demote},
			{"POST", one + "/security/reset", map[string]string{"password": servertest.Password, "code": second.Code(), "reason": "Lost the phone."}, demote},
			{"DELETE", one + "/sessions", nil, demote},
			{"PATCH", one, map[string]string{"name": "Anna"}, demote},
			{"DELETE", one, nil, demote},
			{"PATCH", one, map[string]string{"name": "Anna"}, end}, // the last, since it has no session any more
		} {
			release := in.Open(act.meanwhile...)
			answers := make(chan *servertest.Answer, 1)
			failed := make(chan error, 1)
			go func() {
				answer, err := acting.Try(act.method, act.path, act.body)
				failed <- err
				answers <- answer
			}()
			in.Blocked(1)
			release()
			if err := <-failed; err != nil {
				t.Fatal(err)
			}
			answer := <-answers
			late := len(act.meanwhile) > 1 && answer.Status == http.StatusUnauthorized // it came in after the end
			if answer.Status != http.StatusForbidden && !late {
				t.Errorf("%s %s: %d %s", act.method, act.path, answer.Status, answer.Raw)
			}
			in.Change("UPDATE users SET role = 'administrator' WHERE email = 'second@example.test'")
		}
		if names := in.Column("SELECT name FROM users WHERE id = ? AND requirement = 'allowed' AND reset_at IS NULL", ann); len(names) != 1 || names[0] != "Ann" {
			t.Errorf("something was done: %v", names)
		}
	})
}

// An administrator without 2-step verification ends nobody else's sessions.
func TestSessionsOfOthersTakeOnesOwn2StepVerification(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Boss", "boss@example.test", "administrator")
		ann := in.AddPerson("Ann", "ann@example.test", "member")
		boss := in.Browser(servertest.Firefox)
		boss.Password("boss@example.test").Want(http.StatusOK)
		boss.Do("DELETE", "/api/v1/users/"+ann+"/sessions", nil).Refused(http.StatusForbidden, "own_mfa_first")
	})
}
