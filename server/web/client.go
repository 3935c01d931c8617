package web

import (
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/mileusna/useragent"
	"github.com/valyala/fasthttp"
)

// requestCtx is fasthttp's request, under Fiber's.
type requestCtx = fasthttp.RequestCtx

func (a *API) client(r *request, fctx *requestCtx) Client {
	address := a.address(fctx)
	return Client{
		RequestID: r.id,
		Address:   address,
		Network:   network(address),
		Browser:   a.browsers.of(fctx.Request.Header.UserAgent()),
		BrowserID: a.browserID(fctx),
	}
}

// address is the TCP peer, unless that is a trusted proxy: then
// X-Forwarded-For is walked from the right, where each proxy appends the peer
// it saw, as long as the proxies are trusted (security.md row 46). What cannot
// be read ends the walk at the last address that could.
func (a *API) address(fctx *requestCtx) netip.Addr {
	peer := peerOf(fctx.RemoteAddr())
	if len(a.trustedProxies) == 0 || !a.trusts(peer) {
		return peer
	}
	lines := fctx.Request.Header.PeekAll("X-Forwarded-For")
	for i := len(lines) - 1; i >= 0; i-- {
		hops := strings.Split(string(lines[i]), ",")
		for j := len(hops) - 1; j >= 0; j-- {
			hop, ok := parseHop(strings.TrimSpace(hops[j]))
			if !ok {
				return peer
			}
			peer = hop
			if !a.trusts(peer) {
				return peer
			}
		}
	}
	return peer
}

func (a *API) trusts(address netip.Addr) bool {
	for _, p := range a.trustedProxies {
		if p.Contains(address) {
			return true
		}
	}
	return false
}

func peerOf(remote net.Addr) netip.Addr {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// parseHop reads an address of X-Forwarded-For, which some proxies write with
// a port, and with brackets for IPv6.
func parseHop(s string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	address, err := netip.ParseAddr(s)
	return address.Unmap().WithZone(""), err == nil
}

// NetworkOf is the Client.Network of an address.
func NetworkOf(address netip.Addr) string { return network(address) }

// Neighbourhood is what one party may well have many networks in: an IPv4 /24, an IPv6 /48. Whoever is to have no more than
// their share is counted by it.
func Neighbourhood(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	bits := 48
	if address.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(address, bits).Masked().String()
}

// network is what one household or host has: an IPv4 address, an IPv6 /64.
func network(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	if address.Is4() {
		return address.String()
	}
	p, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return p.String()
}

const (
	longestUserAgent = 512 // bytes that are looked at
	mostLabels       = 256 // that are remembered
	unknownBrowser   = "Unknown browser"
)

// browserNames are the names that a label may have. Anything else that a user
// agent calls itself is what was sent, and not repeated.
var browserNames = map[string]string{
	useragent.Firefox: "Firefox", useragent.Chrome: "Chrome", useragent.HeadlessChrome: "Chrome",
	useragent.Safari: "Safari", useragent.MobileSafari: "Safari", useragent.Edge: "Edge",
	useragent.Opera: "Opera", useragent.OperaMini: "Opera Mini", useragent.OperaTouch: "Opera Touch",
	useragent.Vivaldi: "Vivaldi", useragent.SamsungBrowser: "Samsung Browser",
	useragent.InternetExplorer: "Internet Explorer", "Huawei Browser": "Huawei Browser",
	"curl": "curl", "Wget": "Wget",
}

// browserLabels remembers the labels of the user agents seen last: reading one
// costs more than all other checks of a request together.
type browserLabels struct {
	mu    sync.RWMutex
	known map[string]string
}

func newBrowserLabels() *browserLabels {
	return &browserLabels{known: make(map[string]string, mostLabels)}
}

func (b *browserLabels) of(sent []byte) string {
	if len(sent) > longestUserAgent {
		sent = sent[:longestUserAgent]
	}
	b.mu.RLock()
	label, ok := b.known[string(sent)]
	b.mu.RUnlock()
	if ok {
		return label
	}
	copied := string(sent)
	label = browserLabel(copied)
	b.mu.Lock()
	if len(b.known) >= mostLabels {
		clear(b.known)
	}
	b.known[copied] = label
	b.mu.Unlock()
	return label
}

// browserLabel is "Firefox on Linux", "Safari on iPhone", "curl" or "Unknown
// browser".
func browserLabel(sent string) string {
	ua := useragent.Parse(sent)
	name, ok := browserNames[ua.Name]
	if !ok {
		name = unknownBrowser
	}
	system := ""
	switch ua.OS {
	case useragent.Windows, useragent.WindowsPhone, useragent.Android, useragent.MacOS,
		useragent.Linux, useragent.FreeBSD, useragent.ChromeOS, useragent.Harmony:
		system = ua.OS
	case useragent.IOS:
		system = ua.Device // "iPhone", "iPad": useragent's own words
	}
	if system == "" {
		return name
	}
	return name + " on " + system
}
