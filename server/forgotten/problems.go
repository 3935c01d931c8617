package forgotten

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrTooManyAsks   = problem.New(http.StatusTooManyRequests, "too_many_asks", "A link was asked for too often. The newest mail has the one that works.")
	ErrLinkUsed      = problem.New(http.StatusGone, "password_link_used", "This link has been used. Sign in with the password that was chosen.")
	ErrLinkExpired   = problem.New(http.StatusGone, "password_link_expired", "This link is older than an hour. Ask for a new one.")
	ErrLinkReplaced  = problem.New(http.StatusGone, "password_link_replaced", "There is a newer link. Use the one of the newest mail.")
	ErrLinkWithdrawn = problem.New(http.StatusGone, "password_link_withdrawn", "The password or the e-mail address has been changed since this link was sent. Ask for a new one if you still need it.")
	ErrLinkUnknown   = problem.New(http.StatusGone, "password_link_unknown", "There is no such link. Open the link again, the whole of it, or ask for a new one.")
)
