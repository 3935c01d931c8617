package webauthn

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room. Those of signing in and of fresh proof are the reasons of prove.go.
var (
	errOff          = problem.New(http.StatusConflict, "security_keys_off", "This installation has no security keys. Whoever runs it can turn them on.")
	errNoKey        = problem.New(http.StatusConflict, "no_security_key", "There is no security key on this account.")
	errTooManyBegun = problem.New(http.StatusTooManyRequests, "too_many_challenges", "This was begun too often and not finished. Wait, then try again.")
	errTooManyKeys  = problem.New(http.StatusConflict, "too_many_security_keys", "Ten security keys are the most that a person can have.")
	errMFAOff       = problem.New(http.StatusConflict, "mfa_off", "2-step verification is not on.")
	errNotAllowed   = problem.New(http.StatusConflict, "mfa_not_allowed", "2-step verification is not allowed for this person. An administrator can change that.")
	errExpired      = problem.New(http.StatusUnprocessableEntity, "challenge_expired", "This took too long, was finished already, or began in another place. Begin again.")
	errRefused      = problem.New(http.StatusUnprocessableEntity, "security_key_refused", "What the security key answered can't be accepted. Begin again.")
	errUnverified   = problem.New(http.StatusUnprocessableEntity, "security_key_unverified", "An administrator's security key must ask for its PIN or a fingerprint.")
	errTaken        = problem.New(http.StatusConflict, "security_key_taken", "This security key is in use already.")
)
