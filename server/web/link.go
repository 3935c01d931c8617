package web

// EnrolmentLink is what a person who was reset opens: made from the configured public URL and from no header (security.md
// row 55), with the token in the fragment, so that it reaches no log on its way.
func (a *API) EnrolmentLink(token string) string { return EnrolmentLink(a.publicURL, token) }

// EnrolmentLink is the same for a public URL without a slash at its end.
func EnrolmentLink(publicURL, token string) string { return publicURL + "/enrol#token=" + token }
