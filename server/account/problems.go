package account

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrEmailTaken = problem.New(http.StatusConflict, "email_taken", "Somebody of this account has that e-mail address already.")
	ErrInvalid    = problem.New(http.StatusUnprocessableEntity, "invalid_input", "Some fields can't be taken as they are.")
	ErrNoUser     = problem.New(http.StatusNotFound, "no_user", "There is no such person.")
	ErrCursor     = problem.New(http.StatusBadRequest, "bad_cursor", "The cursor is not one that this list gave out. Start at the first page.")
)
