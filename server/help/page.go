package help

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	. "maragu.dev/gomponents"      //nolint:staticcheck // markup reads as markup
	. "maragu.dev/gomponents/html" //nolint:staticcheck // as above

	"github.com/secondstep/secondstep/server/web"
)

// Pages are made by functions and by no template, as mails are (server/mail/forms.go). Whatever is text is escaped.

// view is whom a page is made for.
type view struct {
	help     *Help
	locale   *locale
	look     web.Look
	signedIn bool
}

// sheet is a page before it is written.
type sheet struct {
	*view
	title   string
	content Node
	query   string // what stands in the search
}

// document writes the page.
func (s *sheet) document() (*web.Document, error) {
	var markup strings.Builder
	if err := s.markup().Render(&markup); err != nil {
		return nil, fmt.Errorf("write a page of help: %w", err)
	}
	page := strings.ReplaceAll(markup.String(), brandHere, html.EscapeString(s.look.Brand))
	return web.NewDocument("text/html; charset=utf-8", []byte(page)), nil
}

func (s *sheet) page(status int) web.Page {
	document, err := s.document()
	return web.Page{Status: status, Document: document, Fault: err}
}

// shield is the mark of the product, as in frontend/src/parts/Icon.svelte.
const shield = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3l7 3v5c0 4.5-3 8.3-7 10-4-1.7-7-5.5-7-10V6z"/><path d="M9 12l2 2 4-4"/></svg>`

func (s *sheet) markup() Node {
	w, api := s.locale.words, s.help.api
	style, script, icon := api.Asset("help.css"), api.Asset("help.js"), api.Asset("icon.svg")
	accent := web.AccentSheet(s.look)
	out, way := w.SignIn, "/sign-in"
	if s.signedIn {
		out, way = fill(w.Back, "brand", s.look.Brand), "/"
	}
	return Doctype(HTML(Lang(s.locale.name), Dir(w.Direction),
		Head(
			Meta(Charset("utf-8")),
			Meta(Name("viewport"), Content("width=device-width, initial-scale=1")),
			Meta(Name("color-scheme"), Content("light dark")),
			Meta(Name("robots"), Content("noindex")),
			TitleEl(Text(fill(w.PageTitle, "name", s.title, "brand", s.look.Brand))),
			If(icon != "", Link(Rel("icon"), Type("image/svg+xml"), Href(icon))),
			If(style != "", Link(Rel("stylesheet"), Href(style))),
			If(accent != "", Link(Rel("stylesheet"), Href(accent))),
			If(script != "", Script(Src(script))),
		),
		Body(
			A(Class("skip"), Href("#content"), Text(w.Skip)),
			Header(Class("top"),
				A(Class("brand"), Href(Prefix), Span(Class("mark"), Raw(shield)), Span(Class("name-of-all"), Text(s.look.Brand))),
				Form(Class("search"), Role("search"), Method("get"), Action(Prefix+"/search"),
					Input(Class("input"), Type("search"), Name("q"), Value(s.query), Aria("label", w.Search), Placeholder(w.Search), MaxLength(number(longestQuery))),
					Button(Class("button"), Type("submit"), Text(w.SearchPress)),
				),
				Nav(Class("ways"), Aria("label", w.Help),
					A(Class("quiet"), Href(Prefix), Text(w.Help)),
					A(Class("button"), Href(way), Text(out)),
				),
			),
			Main(ID("content"), TabIndex("-1"), s.content),
		),
	))
}

// crumbs say where a page is.
func (v *view) crumbs(last string) Node {
	return Nav(Class("crumbs"), Aria("label", v.locale.words.Here),
		Ol(Li(A(Href(Prefix), Text(v.locale.words.Help))), If(last != "", Li(Text(last)))))
}

// index lists all articles, by audience.
func (v *view) index() *sheet {
	w := v.locale.words
	var groups []Node
	for _, audience := range audiences {
		var list []Node
		for _, article := range v.locale.sorted {
			if article.Audience == audience {
				list = append(list, Li(foreign(v, article), v.entry(article)))
			}
		}
		if len(list) > 0 {
			groups = append(groups, Section(Aria("labelledby", audience), H2(ID(audience), Text(w.Audiences[audience])), Ul(Class("articles"), Group(list))))
		}
	}
	return &sheet{view: v, title: w.Help, content: Div(Class("index"),
		H1(Text(w.Help)), P(Class("lead"), Text(fill(w.Lead, "brand", v.look.Brand))), v.tests(), Group(groups), v.hand(),
	)}
}

// fixes are the paths of the troubleshooter, which is the front end's (frontend/src/screens/fix), in its order.
var fixes = []string{"code", "scan", "backup-code", "phone", "mail"}

// tests are the links to the troubleshooter.
func (v *view) tests() Node {
	w := v.locale.words
	return Section(Class("tests panel"), Aria("labelledby", "tests"), H2(ID("tests"), Text(w.Fix)), P(Class("muted"), Text(w.FixBody)),
		Ul(Map(fixes, func(way string) Node {
			return If(w.FixWays[way] != "", Li(A(Class("button"), Href("/fix/"+way), Text(w.FixWays[way]))))
		})),
	)
}

func (v *view) entry(article *article) Node {
	return A(Href(Prefix+"/"+article.Slug), Span(Class("name"), Text(article.Title)), Span(Class("about"), Text(article.Summary)))
}

// foreign says the language of an article that there is in another one only.
func foreign(v *view, article *article) Node {
	return If(article.Locale != v.locale.name, Lang(article.Locale))
}

// article is the page of one.
func (v *view) article(a *article, said string) *sheet {
	w := v.locale.words
	var contents []Node
	for _, section := range a.Sections {
		if section.Level == 2 {
			contents = append(contents, Li(A(Href("#"+section.Anchor), Text(section.Title))))
		}
	}
	return &sheet{view: v, title: a.Title, content: Div(Class("reading"), foreign(v, a),
		Div(Class("opening"),
			v.crumbs(w.Audiences[a.Audience]),
			H1(Text(a.Title)),
			P(Class("facts"), Text(fill(w.Minutes, "minutes", number(a.Minutes))), Span(Aria("hidden", "true"), Text(" · ")),
				Time(DateTime(a.Updated.Format(time.DateOnly)), Text(fill(w.Updated, "date", w.day(a.Updated))))),
		),
		If(len(contents) > 1, Nav(Class("contents"), Aria("labelledby", "contents"),
			P(ID("contents"), Text(w.OnThis)), Ol(Group(contents)))),
		Div(Class("text"),
			Article(P(Class("lead"), Text(a.Summary)), Raw(a.HTML)),
			v.vote(a, said),
			v.hand(),
			v.neighbours(a),
		),
	)}
}

func (v *view) neighbours(a *article) Node {
	w := v.locale.words
	before, after := v.locale.beside(a.Slug)
	way := func(to *article, rel, label string) Node {
		if to == nil {
			return Span()
		}
		return A(Class(rel), Rel(rel), Href(Prefix+"/"+to.Slug), Span(Class("muted small"), Text(label)), Span(foreign(v, to), Text(to.Title)))
	}
	return Nav(Class("neighbours"), Aria("label", w.Neighbour), way(before, "prev", w.Previous), way(after, "next", w.Next))
}

// hand is where people answer.
func (v *view) hand() Node {
	w := v.locale.words
	return Section(Class("hand panel"), Aria("labelledby", "hand"),
		H2(ID("hand"), Text(w.NeedHand)), P(Class("muted"), Text(w.NeedHandBody)),
		P(Class("ways"),
			A(Class("button"), Href(Prefix+contactPage), Text(w.Contact.Title)),
			If(v.help.ChatURL != "", A(Class("button"), Href(v.help.ChatURL), Rel("noopener"), Text(w.Chat)))),
	)
}

// results is the page of a search.
func (v *view) results(query string, found []result) *sheet {
	w := v.locale.words
	title := w.Search
	inside := P(Class("lead"), Text(w.NoQuery))
	switch {
	case query != "" && len(found) > 0:
		title = fill(w.ResultsFor, "query", query)
		inside = Ol(Class("results"), Map(found, v.result))
	case query != "":
		title = fill(w.NoResults, "query", query)
		inside = P(Class("lead"), Text(w.NoResultsWay))
	}
	return &sheet{view: v, title: title, query: query, content: Div(Class("index"),
		v.crumbs(w.Search), H1(Text(title)), inside, v.allArticles(), v.hand(),
	)}
}

func (v *view) allArticles() Node {
	return P(A(Href(Prefix), Text(v.locale.words.AllArticles)))
}

func (v *view) result(one result) Node {
	address, name := Prefix+"/"+one.article.Slug, one.article.Title
	if one.section != nil && one.section.Anchor != "" {
		address += "#" + one.section.Anchor
		name += " › " + one.section.Title
	}
	return Li(foreign(v, one.article), A(Href(address), Text(name)), P(Map(one.excerpt, func(p piece) Node {
		if p.found {
			return Mark(Text(p.text))
		}
		return Text(p.text)
	})))
}

// told is a page that says one thing.
func (v *view) told(title, body string) *sheet {
	return &sheet{view: v, title: title, content: Div(Class("index"), v.crumbs(""), H1(Text(title)), P(Class("lead"), Text(body)), v.allArticles())}
}

func (v *view) notFound() web.Page {
	return v.told(v.locale.words.NotFound, v.locale.words.NotFoundBody).page(http.StatusNotFound)
}

func (v *view) refused(status int) web.Page {
	return v.told(v.locale.words.Refused, v.locale.words.RefusedBody).page(status)
}

func (v *view) slow(wait time.Duration) web.Page {
	page := v.told(v.locale.words.Slow, v.locale.words.SlowBody).page(http.StatusTooManyRequests)
	page.RetryAfter = wait
	return page
}
