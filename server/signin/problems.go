package signin

import (
	"net/http"
	"time"

	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrBadCredentials   = problem.New(http.StatusUnauthorized, "bad_credentials", "The e-mail address or the password is not right.")
	ErrTooManyPasswords = problem.New(http.StatusTooManyRequests, "too_many_passwords", "Too many passwords were tried from here. Wait, then try again.")
	ErrDisabled         = problem.New(http.StatusForbidden, "account_disabled", "An administrator has disabled this account.")
	ErrWrongPassword    = problem.New(http.StatusUnprocessableEntity, "wrong_password", "The password is not right.").
				For(problem.Field{Name: "password", Code: "wrong_password"})
	ErrCodeRequired = problem.New(http.StatusUnprocessableEntity, "code_required", "A code is needed beside the password.").
			For(problem.Field{Name: "code", Code: "required"})
	ErrSetupLink             = problem.New(http.StatusGone, "setup_link_expired", "This setup link has been used or is too old. The next start prints a new one.")
	ErrEnrolmentLinkRequired = problem.New(http.StatusForbidden, "enrolment_link_required", "An administrator has reset 2-step verification for this account. Open the enrolment link that they gave you.")
	ErrEnrolmentLink         = problem.New(http.StatusGone, "enrolment_link_expired", "This enrolment link is not for this account, has been used, is too old, or a newer one took its place. Ask an administrator for a new one.")
	errCode                  = problem.New(http.StatusUnprocessableEntity, "code_refused", "The code was refused; the diagnosis says why.")
	errTooMany               = problem.New(http.StatusTooManyRequests, "code_refused", "Too many codes were tried; the diagnosis says when it works again.")
)

// Refused is the answer to a refused code (contract.md): 422, or 429 where there were too many.
func Refused(why *diagnosis.Diagnosis) *problem.Problem {
	if why.Reason != diagnosis.TooManyAttempts {
		return errCode.With("diagnosis", why)
	}
	refusal := errTooMany.With("diagnosis", why)
	if why.RetryAfterSeconds != nil {
		refusal = refusal.After(time.Duration(*why.RetryAfterSeconds) * time.Second)
	}
	return refusal
}
