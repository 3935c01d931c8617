package session_test

import (
	"net/http"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

func TestRow34ChangesEndWhatWasOpenElsewhere(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		boss := in.Protected("boss@example.test", "administrator")
		id := in.AddPerson("Ada", "ada@example.test", "member")
		password := map[string]string{"password": servertest.Password}
		var ada *servertest.Enrolled
		hold := func() held {
			in.Clock.NextStep()
			var h held
			if ada == nil {
				h.own, h.other = signedIn(in, "ada@example.test"), signedIn(in, "ada@example.test")
			} else {
				h.own = in.SignedIn("ada@example.test", ada, servertest.Firefox)
				h.other = in.SignedIn("ada@example.test", ada, servertest.Safari)
				h.pending = signedIn(in, "ada@example.test")
			}
			h.token = h.own.Cookie(servertest.SessionCookie)
			return h
		}
		ended := func(t *testing.T, h held, ownGoesOn bool) {
			t.Helper()
			dead(t, h.other)
			h.other.Do("POST", servertest.Enrolments, map[string]string{}).Refused(http.StatusUnauthorized, "session_ended")
			if h.pending != nil {
				h.pending.Code(ada.Code()).Diagnosed("sign_in_expired")
			}
			dead(t, in.Holding(servertest.SessionCookie, h.token))
			if ownGoesOn {
				alive(t, h.own)
			} else {
				dead(t, h.own)
			}
		}
		// A fault in the middle of the change takes all of it back.
		fails := func(t *testing.T, h held, act func() *servertest.Answer) {
			t.Helper()
			in.Change("ALTER TABLE events RENAME TO away")
			act().Refused(http.StatusInternalServerError, "internal_fault")
			in.Change("ALTER TABLE away RENAME TO events")
			alive(t, h.own)
			alive(t, h.other)
			if h.pending != nil {
				h.pending.Do("GET", "/api/v1/sign-in", nil).Want(http.StatusOK)
			}
		}

		t.Run("turning 2-step verification on", func(t *testing.T) {
			h := hold()
			begun := h.own.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)
			phone := in.Scan(begun.Text("secret"))
			codes := h.own.Confirm(begun.Text("id"), phone.Code()).Want(http.StatusOK).Texts("backup_codes")
			activate := func() *servertest.Answer {
				return h.own.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil)
			}
			fails(t, h, activate)
			activate().Want(http.StatusOK)
			ada = &servertest.Enrolled{Phone: phone, Codes: codes, ID: begun.Text("id")}
			ended(t, h, true)
		})
		t.Run("new backup codes", func(t *testing.T) {
			h := hold()
			h.own.Do("POST", servertest.Security+"/backup-codes", password).Want(http.StatusOK)
			activate := func() *servertest.Answer {
				return h.own.Do("POST", servertest.Security+"/backup-codes/activate", nil)
			}
			fails(t, h, activate)
			activate().Want(http.StatusOK)
			ended(t, h, true)
		})
		t.Run("replacing the app", func(t *testing.T) {
			h := hold()
			begun := h.own.Do("POST", servertest.Enrolments, map[string]string{"replaces": ada.ID}).Want(http.StatusCreated)
			phone := in.Scan(begun.Text("secret"))
			confirm := func() *servertest.Answer { return h.own.Confirm(begun.Text("id"), phone.Code()) }
			fails(t, h, confirm)
			confirm().Want(http.StatusOK)
			ended(t, h, true)
			ada = &servertest.Enrolled{Phone: phone, ID: begun.Text("id")}
		})
		t.Run("a lowered requirement, not a raised one", func(t *testing.T) {
			in.Clock.NextStep()
			administrator := in.SignedIn("boss@example.test", boss, servertest.Firefox)
			set := func(requirement string) *servertest.Answer {
				return administrator.Do("PUT", "/api/v1/users/"+id+"/security/requirement", map[string]string{"requirement": requirement})
			}
			h := hold()
			set("required").Want(http.StatusNoContent)
			alive(t, h.own)
			alive(t, h.other)
			h.pending.Do("GET", "/api/v1/sign-in", nil).Want(http.StatusOK)
			fails(t, h, func() *servertest.Answer { return set("allowed") })
			set("allowed").Want(http.StatusNoContent)
			ended(t, h, false)
			alive(t, administrator)
		})
		t.Run("a new password", func(t *testing.T) {
			h := hold()
			in.SetPassword(id, servertest.Password)
			ended(t, h, false)
		})
		t.Run("turning it off", func(t *testing.T) {
			h := hold()
			disable := func() *servertest.Answer { return h.own.Do("POST", servertest.Security+"/disable", password) }
			fails(t, h, disable)
			disable().Want(http.StatusOK)
			ended(t, h, true)
		})
	})
}
