package help

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// front is front matter of ten lines, so that the text begins at the eleventh.
const front = "---\ntitle: Guests\nsummary: How guests get in.\norder: 5\nupdated: 2026-11-25\naudience: everybody\nsearch: wifi\n# a remark\n---\n\n"

func folder(files map[string]string) fstest.MapFS {
	made := fstest.MapFS{}
	for name, content := range files {
		made[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return made
}

// TestFaultsAreToldByFileAndLine is what an installation is told at the start about its folder. Raw HTML and links that
// are no links get no further.
func TestFaultsAreToldByFileAndLine(t *testing.T) {
	article := func(text string) map[string]string { return map[string]string{"en/guests.md": front + text} }
	cases := map[string]struct {
		files map[string]string
		want  string
	}{
		"raw HTML":           {article("## One {#one}\n\n<b>bold</b>\n"), "en/guests.md:13: raw HTML"},
		"a script":           {article("<script>alert(1)</script>\n"), "en/guests.md:11: raw HTML"},
		"HTML in a list":     {article("- one\n- <img src=x onerror=alert(1)>\n"), "en/guests.md:12: raw HTML"},
		"a comment":          {article("<!-- hidden -->\n"), "en/guests.md:11: raw HTML"},
		"javascript:":        {article("Press\n[here](javascript:alert(1)).\n"), "en/guests.md:12: links begin"},
		"JaVaScRiPt:":        {article("[here](JaVaScRiPt:alert%281%29)\n"), "en/guests.md:11: links begin"},
		"javascript, hidden": {article("[here](java&#115;cript:alert)\n"), "en/guests.md:11: links begin"},
		"javascript, tab":    {article("[here](<java\tscript:alert>)\n"), "en/guests.md:11: this link leads nowhere"},
		"data:":              {article("[here](data:text/html;base64,PHNjcmlwdD4=)\n"), "en/guests.md:11: links begin"},
		"vbscript, auto":     {article("<vbscript:x>\n"), "en/guests.md:11: links begin"},
		"by reference":       {article("[here][1]\n\n[1]: file:///etc/passwd\n"), "en/guests.md:11: links begin"},
		"no scheme":          {article("[here](//evil.example)\n"), "en/guests.md:11: this link leaves out https:"},
		"another folder":     {article("[here](../../etc/passwd)\n"), "en/guests.md:11: links begin"},
		"no such article":    {article("One.\n\n[here](nowhere)\n"), "en/guests.md:13: there is no article nowhere"},
		"no such anchor":     {article("[here](sign-in#nowhere)\n"), "en/guests.md:11: there is no anchor nowhere in sign-in"},
		"no such picture":    {article("![A plan](plan.png)\n"), "en/guests.md:11: there is no picture plan.png"},
		"picture elsewhere":  {article("![A plan](https://evil.example/x.png)\n"), "en/guests.md:11: a picture is named"},
		"picture, no words":  {article("![](plan.png)\n"), "en/guests.md:11: say in the brackets"},
		"a first heading":    {article("# Guests\n"), "en/guests.md:11: headings are"},
		"an anchor twice":    {article("## One {#one}\n\n## Two {#one}\n"), "en/guests.md:13: another heading"},
		"an anchor's shape":  {article("## One {#One_Two}\n"), "en/guests.md:11: give this heading an anchor"},
		"an attribute":       {article("## One {#one onclick=\"alert(1)\"}\n"), "en/guests.md:11: nothing but an anchor"},
		"a style":            {article("## One {#one style=\"color: red\"}\n"), "en/guests.md:11: nothing but an anchor"},

		"no front matter":     {map[string]string{"en/guests.md": "# Guests\n"}, "en/guests.md:1: it must begin with front matter"},
		"front matter, open":  {map[string]string{"en/guests.md": "---\ntitle: Guests\n"}, "en/guests.md:1: it must begin with front matter"},
		"front matter, YAML":  {map[string]string{"en/guests.md": "---\ntitle: Guests\norder: [\n---\n"}, "en/guests.md:3: the front matter can't be read"},
		"front matter, other": {map[string]string{"en/guests.md": strings.Replace(front, "search:", "colour:", 1)}, "en/guests.md:7: colour is none of"},
		"a day":               {map[string]string{"en/guests.md": strings.Replace(front, "2026-11-25", "yesterday", 1)}, "en/guests.md:5: updated must be a day"},
		"an audience":         {map[string]string{"en/guests.md": strings.Replace(front, "everybody", "nobody", 1)}, "en/guests.md:6: audience must be one of"},
		"an order":            {map[string]string{"en/guests.md": strings.Replace(front, "order: 5", "order: first", 1)}, "en/guests.md:4: order must be"},
		"a title too long":    {map[string]string{"en/guests.md": strings.Replace(front, "Guests", strings.Repeat("G", 81), 1)}, "en/guests.md:2: title must have"},
		"no summary":          {map[string]string{"en/guests.md": strings.Replace(front, "summary: How guests get in.\n", "", 1)}, "en/guests.md:1: summary is missing"},

		"a file's name":       {map[string]string{"en/Guests WLAN.md": front}, "en/Guests WLAN.md: the file of an article"},
		"the search's name":   {map[string]string{"en/search.md": front}, "en/search.md: the file of an article"},
		"another kind":        {map[string]string{"en/guests.html": "<p>"}, "en/guests.html: the file of an article"},
		"no language":         {map[string]string{"guests.md": front}, "guests.md: articles lie in a folder"},
		"a folder's name":     {map[string]string{"English/guests.md": front}, "English: a folder is named"},
		"words":               {map[string]string{"en/words.json": `{"assistance": "Help"}`}, "en/words.json: it can't be read"},
		"words, direction":    {map[string]string{"de/words.json": `{"direction": "down"}`}, "de/words.json: direction must be"},
		"a picture's name":    {map[string]string{"pictures/My Plan.png": "x"}, "pictures/My Plan.png: a picture is"},
		"a picture of script": {map[string]string{"pictures/plan.svg": "<svg/>"}, "pictures/plan.svg: a picture is"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := load(folder(c.files), noPicture)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestManyFaults names the first of them and counts the rest.
func TestManyFaults(t *testing.T) {
	files := map[string]string{}
	for n := range 9 {
		files[fmt.Sprintf("en/guests-%d.md", n)] = "nothing"
	}
	_, err := load(folder(files), noPicture)
	if err == nil || !strings.Contains(err.Error(), "en/guests-0.md:1:") || !strings.HasSuffix(err.Error(), "(and 4 more)") {
		t.Errorf("got %v", err)
	}
}

// TestRendering is what Markdown becomes.
func TestRendering(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"a heading":        {"## Get *an* app {#app}\n", `<h2 id="app">Get <em>an</em> app <a class="anchor" href="#app" aria-hidden="true" tabindex="-1">#</a></h2>`},
		"an anchor made":   {"## Get an app\n", `<h2 id="get-an-app">`},
		"a link":           {"[Sign in](sign-in#password)\n", `<a href="sign-in#password">Sign in</a>`},
		"elsewhere":        {"[there](https://example.org/a?b=c&d=e)\n", `<a href="https://example.org/a?b=c&amp;d=e">there</a>`},
		"a mailbox":        {"[us](mailto:help@example.org)\n", `<a href="mailto:help@example.org">us</a>`},
		"the product":      {"[Users](/parameters/users)\n", `<a href="/parameters/users">Users</a>`},
		"a picture":        {"![A \"plan\" & <](plan.png)\n", `<img class="picture" src="/help/pictures/plan.png" alt="A &quot;plan&quot; &amp; &lt;" loading="lazy">`},
		"a notice":         {"> *Save them.* Now.\n", "<div class=\"note\" role=\"note\">\n<p><em>Save them.</em> Now.</p>\n</div>"},
		"code":             {"`<script>`\n", "<code>&lt;script&gt;</code>"},
		"a fence":          {"```\n<b> & \"x\"\n```\n", "<pre><code>&lt;b&gt; &amp; &quot;x&quot;\n</code></pre>"},
		"signs":            {"1 &lt; 2 & \"so\" <\n", "1 &lt; 2 &amp; &quot;so&quot; &lt;"},
		"a table":          {"| a | b |\n| --- | --- |\n| 1 | 2 |\n", "<td>1</td>"},
		"the brand":        {"Ask {brand}.\n", "Ask " + brandHere + "."},
		"the brand, quote": {"> {brand}\n", brandHere},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := folder(map[string]string{"en/guests.md": front + c.text, "pictures/plan.png": "x"})
			l, err := load(files, noPicture)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.locales[0].bySlug["guests"].HTML; !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestFolder is what an installation may do with a folder of its own: add, replace, and translate.
func TestFolder(t *testing.T) {
	l, err := load(folder(map[string]string{
		"en/guests.md":      front + "Ask at the desk.\n",
		"en/sign-in.md":     strings.Replace(front, "title: Guests", "title: Sign in with us", 1) + "As always.\n",
		"de/guests.md":      strings.Replace(front, "title: Guests", "title: Gäste", 1) + "Am Empfang. [Anmelden](sign-in)\n",
		"de/words.json":     `{"direction": "ltr", "months": ["Januar","Februar","März","April","Mai","Juni","Juli","August","September","Oktober","November","Dezember"], "help": "Hilfe"}`,
		"pictures/plan.png": "x",
		"README.md":         "of no concern",
		"en/.hidden.md":     "of no concern",
	}), noPicture)
	if err != nil {
		t.Fatal(err)
	}
	english, german := l.in(""), l.in("de-AT, en;q=0.5")
	for what, got := range map[string]string{
		"added":               english.bySlug["guests"].Title,
		"replaced":            english.bySlug["sign-in"].Title,
		"translated":          german.bySlug["guests"].Title,
		"not translated":      german.bySlug["lost-phone"].Title,
		"a word":              german.words.Help,
		"another language":    l.in("fr").name,
		"what is no language": l.in("*;;q=x").name,
		"by preference":       l.in("fr, de;q=0.4, en;q=0.2").name,
	} {
		want := map[string]string{
			"added": "Guests", "replaced": "Sign in with us", "translated": "Gäste", "not translated": "Lost phone", "a word": "Hilfe",
			"another language": "en", "what is no language": "en", "by preference": "de",
		}[what]
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	if l.pictures["plan.png"] == nil {
		t.Error("no picture")
	}
	if first := english.sorted[0].Slug; first != "guests" && first != "sign-in" {
		t.Errorf("the first is %s", first)
	}
}

// TestSearch finds what people type.
func TestSearch(t *testing.T) {
	of := opened(t).locales[0]
	for query, want := range map[string]string{
		"lost phone":                   "lost-phone",
		"LOST my  PHONE!":              "lost-phone",
		"how do I turn on 2fa":         "what-it-is",
		"qr code camera":               "cannot-scan",
		"clock":                        "clock",
		"the code is wrong phone time": "code-not-accepted",
		"nginx":                        "proxy",
		"keyring":                      "keys",
		"recovery codes":               "backup-codes",
		"hacked":                       "not-me",
	} {
		found := of.find(query)
		if len(found) == 0 {
			t.Errorf("%q finds nothing", query)
			continue
		}
		var slugs []string
		for _, one := range found[:min(3, len(found))] {
			slugs = append(slugs, one.article.Slug)
		}
		if !strings.Contains(" "+strings.Join(slugs, " ")+" ", " "+want+" ") {
			t.Errorf("%q finds %v first, not %s", query, slugs, want)
		}
	}
	// Whose subject it is comes as a whole; no part of it is what was asked for because it says one of the words often.
	if found := of.find("wrong code"); found[0].article.Slug != "code-not-accepted" || found[0].section != nil {
		t.Errorf("a wrong code is looked for, and found is %+v", found[0])
	}
	if found := of.find("codes locked"); found[0].section == nil || found[0].section.Anchor != "locked" {
		t.Errorf("the lock is looked for, and found is %+v", found[0])
	}
	for _, query := range []string{"", " ", "xyzzy", "%", "'); DROP TABLE", "\u0301", strings.Repeat("a ", 50)} {
		if found := of.find(query); query != "'); DROP TABLE" && len(found) > 0 && !strings.HasPrefix(query, "a ") {
			t.Errorf("%q finds %s", query, found[0].article.Slug)
		}
	}
}
