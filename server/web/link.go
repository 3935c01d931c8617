package web

// EnrolmentLink is what a person who was reset opens: made from the configured public URL and from no header (security.md
// row 55), with the token in the fragment, so that it reaches no log on its way.
func (a *API) EnrolmentLink(token string) string { return EnrolmentLink(a.publicURL, token) }

// EnrolmentLink is the same for a public URL without a slash at its end.
func EnrolmentLink(publicURL, token string) string { return publicURL + "/enrol#token=" + token }

// Link is the address of a page with a one-time token, from the configured public URL and from nothing that was sent
// (security.md row 55). The token stands in the fragment, so that it reaches no log.
func (a *API) Link(page string, token []byte) string {
	return Link(a.publicURL, page, token)
}

// Link is the same for a public URL without a slash at its end.
func Link(publicURL, page string, token []byte) string {
	return publicURL + page + "#token=" + tokenEncoding.EncodeToString(token)
}

// Token reads a token as a link carries it; false where it can be none.
func Token(text string) (token []byte, ok bool) {
	token, err := tokenEncoding.DecodeString(text)
	return token, err == nil && len(token) == tokenSize
}
