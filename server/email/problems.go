package email

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrNotJoined = problem.New(http.StatusConflict, "not_joined", "This person has not joined yet. Withdraw the invitation, and invite the right address.")
	ErrNoChange  = problem.New(http.StatusNotFound, "no_email_change", "No change of this person's address waits.")
	ErrLink      = problem.New(http.StatusGone, "email_link_expired", "This link has been used, is too old, was withdrawn, or is not for this account.")
)
