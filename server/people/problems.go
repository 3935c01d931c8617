package people

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrLastAdministrator   = problem.New(http.StatusConflict, "last_administrator", "This is the last active administrator. Make somebody else one first.")
	ErrOwnRole             = problem.New(http.StatusConflict, "own_role", "Nobody changes their own role. Ask another administrator.")
	ErrOwnAccount          = problem.New(http.StatusConflict, "own_account", "Nobody disables or removes their own account. Ask another administrator.")
	ErrJoined              = problem.New(http.StatusConflict, "already_joined", "This person has joined already, so there is no invitation to change.")
	ErrInvitationUsed      = problem.New(http.StatusGone, "invitation_used", "This invitation has been used. Sign in with the password that was chosen.")
	ErrInvitationExpired   = problem.New(http.StatusGone, "invitation_expired", "This invitation is older than 72 hours. Ask for a new one.")
	ErrInvitationReplaced  = problem.New(http.StatusGone, "invitation_replaced", "There is a newer invitation. Use the newest link.")
	ErrInvitationWithdrawn = problem.New(http.StatusGone, "invitation_withdrawn", "This invitation has been withdrawn.")
	ErrInvitationUnknown   = problem.New(http.StatusGone, "invitation_unknown", "There is no such invitation. Open the link again, the whole of it, or ask for a new one.")
)
