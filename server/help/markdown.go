package help

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown reads CommonMark with tables. It never passes raw HTML on, and an article that has any is refused anyway.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table),
	goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithHeadingAttribute()),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(looks{}, 100))),
)

var anchorShape = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// readBody reads the Markdown, of which the first line is the one after that many others of the file.
func (a *article) readBody(source string, before int) Faults {
	source = named(source)
	raw := []byte(source)
	document := markdown.Parser().Parse(text.NewReader(raw))
	r := &reading{article: a, source: raw, before: before}
	r.sections(document)
	if err := ast.Walk(document, r.visit); err != nil {
		r.fault(document, "%v", err)
	}
	if len(r.faults) > 0 {
		return r.faults
	}
	var page bytes.Buffer
	if err := markdown.Renderer().Render(&page, raw, document); err != nil {
		r.fault(document, "%v", err)
	}
	a.HTML = page.String()
	words := 0
	for _, section := range a.Sections {
		words += len(strings.Fields(section.Text))
	}
	a.Minutes = max(1, (words+wordsAMinute/2)/wordsAMinute)
	return r.faults
}

// reading is an article that is being read.
type reading struct {
	article *article
	source  []byte
	before  int
	faults  Faults
}

// line is where a node begins; one that doesn't know is where its block begins.
func (r *reading) line(node ast.Node) int {
	for ; node != nil; node = node.Parent() {
		at := node.Pos()
		if at < 0 && node.Type() == ast.TypeBlock && node.Lines() != nil && node.Lines().Len() > 0 {
			at = node.Lines().At(0).Start
		}
		if at >= 0 && at <= len(r.source) {
			return r.before + 1 + bytes.Count(r.source[:at], []byte("\n"))
		}
	}
	return r.before + 1
}

func (r *reading) fault(node ast.Node, format string, args ...any) {
	one := Fault{r.article.file, r.line(node), fmt.Sprintf(format, args...)}
	if !slices.Contains(r.faults, one) { // a tag is told at its beginning, and not at its end again
		r.faults = append(r.faults, one)
	}
}

// sections takes the text apart by its headings.
func (r *reading) sections(document ast.Node) {
	now := section{}
	for node := document.FirstChild(); node != nil; node = node.NextSibling() {
		heading, ok := node.(*ast.Heading)
		if !ok {
			now.Text += " " + r.plain(node)
			continue
		}
		r.article.Sections = append(r.article.Sections, now)
		now = section{Level: heading.Level, Title: strings.TrimSpace(r.plain(heading))}
		if id, found := heading.AttributeString("id"); found {
			if anchor, ok := id.([]byte); ok {
				now.Anchor = string(anchor)
			}
		}
		switch {
		case heading.Level != 2 && heading.Level != 3:
			r.fault(heading, "headings are ## and ###: the title of the article is above them")
		case !anchorShape.MatchString(now.Anchor):
			r.fault(heading, "give this heading an anchor of small letters, digits and dashes, such as {#on-the-phone}")
		case r.article.hasAnchor(now.Anchor):
			r.fault(heading, "another heading has the anchor %s", now.Anchor)
		}
	}
	r.article.Sections = append(r.article.Sections, now)
}

// plain is the text of a node and all below it.
func (r *reading) plain(node ast.Node) string {
	var all strings.Builder
	_ = ast.Walk(node, func(one ast.Node, entering bool) (ast.WalkStatus, error) { // the function fails never
		if !entering {
			if one.Type() == ast.TypeBlock {
				all.WriteByte(' ')
			}
			return ast.WalkContinue, nil
		}
		switch one := one.(type) {
		case *ast.Text:
			all.Write(util.UnescapePunctuations(one.Value(r.source)))
			if one.SoftLineBreak() || one.HardLineBreak() {
				all.WriteByte(' ')
			}
		case *ast.String:
			all.Write(one.Value)
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			for n := range one.Lines().Len() {
				line := one.Lines().At(n)
				all.Write(line.Value(r.source))
			}
		}
		return ast.WalkContinue, nil
	})
	return all.String()
}

// visit looks at each node, and refuses what no article may have.
func (r *reading) visit(node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	for _, attribute := range node.Attributes() {
		if _, heading := node.(*ast.Heading); !heading || string(attribute.Name) != "id" {
			r.fault(node, "nothing but an anchor goes in braces behind a heading, such as {#on-the-phone}")
		}
	}
	switch node := node.(type) {
	case *ast.HTMLBlock, *ast.RawHTML:
		r.fault(node, "raw HTML is not allowed: write Markdown, and code in backquotes")
	case *ast.Link:
		r.destination(node, string(node.Destination))
	case *ast.AutoLink:
		r.destination(node, string(node.URL(r.source)))
	case *ast.Image:
		name := string(node.Destination)
		switch {
		case !pictureShape.MatchString(name):
			r.fault(node, "a picture is named by its file alone, such as wizard-scan.png")
		case strings.TrimSpace(r.plain(node)) == "":
			r.fault(node, "say in the brackets what the picture shows, for whoever can't see it")
		default:
			r.article.figures = append(r.article.figures, figure{r.line(node), name})
		}
	case *ast.Emphasis:
		if node.Level == 2 {
			r.article.strong = append(r.article.strong, strong{r.line(node), r.plain(node)})
		}
	}
	return ast.WalkContinue, nil
}

var pictureShape = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*\.(png|webp|jpg)$`)

// destination refuses a link to what is neither a page nor a mailbox, and notes those to articles.
func (r *reading) destination(node ast.Node, to string) {
	address, err := url.Parse(to)
	switch {
	case err != nil || to == "":
		r.fault(node, "this link leads nowhere")
	case address.Scheme != "":
		if !slices.Contains([]string{"http", "https", "mailto"}, address.Scheme) {
			r.fault(node, "links begin with https://, http:// or mailto:, or are the name of an article")
		}
	case address.Host != "" || strings.HasPrefix(to, "//"):
		r.fault(node, "this link leaves out https:")
	case strings.HasPrefix(address.Path, "/"):
		// A page of the product's own; those of help are named by the article alone.
		if at := path.Clean(address.Path); at == Prefix || strings.HasPrefix(at, Prefix+"/") {
			r.fault(node, "an article is linked by its name alone, such as sign-in#second-step")
		}
	case address.Path != "" && !anchorShape.MatchString(address.Path):
		r.fault(node, "links begin with https://, http:// or mailto:, or are the name of an article")
	default:
		r.article.links = append(r.article.links, link{r.line(node), address.Path, address.Fragment})
	}
}

// looks write what looks otherwise here than goldmark has it.
type looks struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (looks) RegisterFuncs(on renderer.NodeRendererFuncRegisterer) {
	on.Register(ast.KindHeading, heading)
	on.Register(ast.KindImage, picture)
	on.Register(ast.KindBlockquote, notice)
}

// heading has a link to itself, to be copied.
func heading(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	of := node.(*ast.Heading)
	id, _ := of.AttributeString("id")
	anchor, _ := id.([]byte)
	if entering {
		_, err := fmt.Fprintf(w, "<h%d id=\"%s\">", of.Level, util.EscapeHTML(anchor))
		return ast.WalkContinue, err
	}
	_, err := fmt.Fprintf(w, " <a class=\"anchor\" href=\"#%s\" aria-hidden=\"true\" tabindex=\"-1\">#</a></h%d>\n", util.EscapeHTML(anchor), of.Level)
	return ast.WalkContinue, err
}

// picture is framed, and loaded when it comes near.
func picture(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	image := node.(*ast.Image)
	shown := (&reading{source: source}).plain(image)
	_, err := fmt.Fprintf(w, "<img class=\"picture\" src=\"%s/pictures/%s\" alt=\"%s\" loading=\"lazy\">",
		Prefix, util.EscapeHTML(image.Destination), util.EscapeHTML([]byte(shown)))
	return ast.WalkSkipChildren, err
}

// notice is what a quotation is here: something not to be missed.
func notice(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	tag := "<div class=\"note\" role=\"note\">\n"
	if !entering {
		tag = "</div>\n"
	}
	_, err := w.WriteString(tag)
	return ast.WalkContinue, err
}
