package web

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// ErrFreshProofRequired refuses a session without fresh proof: where the level needs one,
// and by acts that need it in some cases only.
var ErrFreshProofRequired = problem.New(http.StatusForbidden, "fresh_proof_required",
	"Confirm that it is you: give your password, and your second step where you have one.")

// ErrAppCodeRequired refuses a backup code where a proof is asked for that is good for everything.
var ErrAppCodeRequired = problem.New(http.StatusForbidden, "app_code_required",
	"A backup code is not enough for this. Confirm with a code of your app.")

// ErrOwnFirst refuses an administrator who acts on somebody else without 2-step verification of their own.
var ErrOwnFirst = problem.New(http.StatusForbidden, "own_mfa_first", "Turn on 2-step verification for yourself first.")

// ErrNotPermitted refuses whoever has not the right to do something: where the level
// says so, and by acts that look at who is acting once more.
var ErrNotPermitted = problem.New(http.StatusForbidden, "not_permitted", "You are not permitted to do this.")

// The other refusals of this package. No detail repeats anything that was sent.
var (
	notSignedIn   = problem.New(http.StatusUnauthorized, "not_signed_in", "Sign in first.")
	sessionEnded  = problem.New(http.StatusUnauthorized, "session_ended", "This session has ended. Sign in again.")
	signInExpired = problem.New(http.StatusUnprocessableEntity, "code_refused",
		"This sign-in has expired. Begin again with the password.").
		With("diagnosis", map[string]any{"reason": "sign_in_expired"})
	enrolmentRequired = problem.New(http.StatusForbidden, "enrolment_required",
		"Set up 2-step verification first.")

	notFound         = problem.New(http.StatusNotFound, "not_found", "There is nothing at this address.")
	methodNotAllowed = problem.New(http.StatusMethodNotAllowed, "method_not_allowed",
		"This address does not take that method.")
	malformedRequest = problem.New(http.StatusBadRequest, "malformed_request",
		"The request is not well-formed.")
	malformedBody = problem.New(http.StatusBadRequest, "malformed_body",
		"The body is not the JSON that this call takes.")
	unknownField = problem.New(http.StatusBadRequest, "unknown_field",
		"There is a field that this call does not know.")
	invalidInput = problem.New(http.StatusUnprocessableEntity, "invalid_input",
		"Something that was entered can't be accepted.")
	bodyTooLarge = problem.New(http.StatusRequestEntityTooLarge, "body_too_large",
		"The body is larger than 16 KiB.")
	jsonOnly = problem.New(http.StatusUnsupportedMediaType, "json_only",
		"The body must be JSON, sent as application/json, UTF-8, not compressed.")
	headersTooLarge = problem.New(http.StatusRequestHeaderFieldsTooLarge, "headers_too_large",
		"The address and headers are larger than 8 KiB.")
	requestTimeout = problem.New(http.StatusRequestTimeout, "request_timeout",
		"The request took too long to arrive.")
	notReady = problem.New(http.StatusServiceUnavailable, "not_ready",
		"The server can't serve at the moment.")
)
