package letter

import "testing"

// What mail programs and templates write, and what their readers see.
func TestHTMLOfTheWorld(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<div>Hi</div><div><br></div><div>there</div>`, "Hi\n\nthere"},
		{`<div>a<br></div><div>b</div>`, "a\nb"},
		{`<div>a</div><div><br></div><div><br></div><div>b</div>`, "a\n\nb"},
		{`a<br>b`, "a\nb"},
		{"a <b>b</b>c", "a bc"},
		{"a\n\n\nb", "a b"},
		{`<p>Hi<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p>x</p>`, "Hi\n\nx"},
		{`<p class="MsoNormal" style="margin:0">a</p><p class="MsoNormal" style="margin:0">b</p>`, "a\nb"},
		{`<p style="margin:0cm;margin-bottom:.0001pt">a</p><p style="margin-top:0;margin-bottom:0">b</p>`, "a\nb"},
		{`<span style="font-size:0">gone</span>seen`, "seen"},
		{`<span style="font-size:0px;line-height:0">gone</span>seen`, "seen"},
		{`<span style="font-size: 1px; color: #ffffff; line-height: 1px; max-height: 0px; max-width: 0px; opacity: 0; overflow: hidden">gone</span>seen`, "seen"},
		{`<div style="max-height:0">gone</div>seen`, "seen"},
		{`<div style="opacity:0">gone</div>seen`, "seen"},
		{`<div style="opacity:0.8">here</div>`, "here"},
		{`<div style="mso-hide:all">gone</div>seen`, "seen"},
		{`<div style="mso-hide: all; display:none !important">gone</div>seen`, "seen"},
		{`<div style="visibility:hidden">gone</div>seen`, "seen"},
		{`<div style="font-size:0;"><span style="font-size:14px">layout trick</span></div>`, "layout trick"},
		{`<td style="font-size:0px;padding:10px"><div style="font-size:16px">text</div></td>`, "text"},
		{`<div style="line-height:0">here</div>`, "here"},
		{`<div style="height:0;overflow:hidden">gone</div>seen`, "seen"},
		{`<div style="width:0;height:0;overflow:hidden">gone</div>seen`, "seen"},
		{`<p style="color:#fff;background-color:#ffffff">gone</p>seen`, "seen"},
		{`<p style="color:white;background:white">gone</p>seen`, "seen"},
		{`<p style="color:#ffffff;background-color:#0066cc">button</p>`, "button"},
		{`<span style="color:transparent">gone</span>seen`, "seen"},
		{`<span hidden>gone</span>seen`, "seen"},
		{`<span aria-hidden="true">shown</span>`, "shown"},
		{`<input type=hidden value=x>seen`, "seen"},
		{`<!--[if mso]><p>outlook only</p><![endif]-->seen`, "seen"},
		{`<![if !mso]><p>others</p><![endif]>`, "others"},
		{`<!--[if !mso]><!--><p>others</p><!--<![endif]-->`, "others"},
		{`<!-- a > b -->seen<!---->!`, "seen!"},
		{`<![CDATA[inside]]>seen`, "seen"},
		{`<?xml version="1.0"?>seen`, "seen"},
		{`<xml><o:OfficeDocumentSettings><o:AllowPNG/></o:OfficeDocumentSettings></xml>seen`, "seen"},
		{`<xml><w:WordDocument><w:View>Normal</w:View><w:Zoom>0</w:Zoom></w:WordDocument></xml>seen`, "seen"},
		{`<head><title>T</title><meta charset=utf-8><style>p{color:red}</style></head><body>seen</body>`, "seen"},
		{`<HTML><HEAD><TITLE>T</TITLE></HEAD><BODY><P>ONE</P><BR><P>TWO</P></BODY></HTML>`, "ONE\n\nTWO"},
		{`<h1>Title</h1><p>text</p><h2>Sub</h2>more`, "Title\n\ntext\n\nSub\n\nmore"},
		{`a<hr>b`, "a\n----------\nb"},
		{`<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>`, "- a\n  - b\n- c"},
		{`<ol start="3"><li>a</li><li>b</li></ol>`, "3. a\n4. b"},
		{`<ol type="a"><li>x</li><li>y</li></ol>`, "a. x\nb. y"},
		{`<ol type="A" start=3><li>x</li></ol>`, "C. x"},
		{`<ol type="i"><li>x</li><li>y</li><li>z</li><li>w</li></ol>`, "i. x\nii. y\niii. z\niv. w"},
		{`<ol><li>a</li><li value=5>b</li><li>c</li></ol>`, "1. a\n5. b\n6. c"},
		{`<ol reversed><li>a</li></ol>`, "1. a"},
		{`<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>`, "1. a\n  - b\n2. c"},
		{`<ul><li><p>a</p></li><li><p>b</p></li></ul>`, "- a\n\n- b"},
		{`<ul><li><div>a</div></li><li><div>b</div></li></ul>`, "- a\n- b"},
		{`<ul><li style="list-style:none">a</li></ul>`, "- a"},
		{`<p>Intro</p><ul><li>a</li></ul><p>After</p>`, "Intro\n\n- a\n\nAfter"},
		{`text<ul><li>a</li></ul>after`, "text\n\n- a\n\nafter"},
		{`<dl><dt>Term</dt><dd>Def</dd></dl>`, "Term\nDef"},
		{`<table><tr><th>Item</th><th>Price</th></tr><tr><td>Lamp</td><td>10</td></tr></table>`, "Item\tPrice\nLamp\t10"},
		{`<table><tr><td>a<br>b</td><td>c</td></tr></table>`, "a\nb\tc"},
		{`<table><tr><td><p>a</p></td><td><p>b</p></td></tr><tr><td><p>c</p></td><td><p>d</p></td></tr></table>`, "a\tb\nc\td"},
		{`<table><tr><td><div>a</div></td><td><div>b</div></td></tr></table>`, "a\tb"},
		{`<table><tbody><tr><td><table><tr><td>inner</td></tr></table></td></tr><tr><td>x</td></tr></tbody></table>`, "inner\nx"},
		{`<table><tr><td><table><tr><td>l1</td></tr><tr><td>l2</td></tr></table></td><td><table><tr><td>r1</td></tr></table></td></tr></table>`, "l1\nl2\nr1"},
		{`<pre>x  y
  z

end</pre>`, "x  y\n  z\n\nend"},
		{"<pre>\nfirst</pre>", "first"},
		{"<pre>a\n\n\nb</pre>", "a\n\nb"},
		{`<div style="white-space:pre-wrap">line 1
line 2</div>`, "line 1\nline 2"},
		{`<div style="white-space: pre-line">line 1
line 2</div>`, "line 1\nline 2"},
		{`<blockquote><p>a</p><p>b</p></blockquote>`, "> a\n>\n> b"},
		{`<blockquote>a<blockquote>b</blockquote>c</blockquote>d`, "> a\n> > b\n> c\nd"},
		{`<p>x</p><blockquote type="cite">q</blockquote><p>y</p>`, "x\n\n> q\n\ny"},
		{`<a href="https://example.com/a">https://example.com/a</a>`, "https://example.com/a"},
		{`<a href="http://www.example.com">www.example.com</a>`, "www.example.com"},
		{`<a href="https://www.example.com/">example.com</a>`, "example.com"},
		{`<a href="mailto:ann@example.com">ann@example.com</a>`, "ann@example.com"},
		{`<a href="mailto:ann@example.com">Ann</a>`, "Ann (ann@example.com)"},
		{`<a href="mailto:ann@example.com?subject=Hi">ann@example.com</a>`, "ann@example.com"},
		{`<a href="tel:+442079460000">020 7946 0000</a>`, "020 7946 0000"},
		{`<a href="https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fshop.example.com%2Fx&amp;data=05%7C01&amp;reserved=0">shop</a>`, "shop (https://shop.example.com/x)"},
		{`<a href="https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fshop.example.com%2Fx&amp;data=05">https://shop.example.com/x</a>`, "https://shop.example.com/x"},
		{`<a href="https://www.google.com/url?q=https://shop.example.com/x&amp;source=gmail">shop</a>`, "shop (https://shop.example.com/x)"},
		{`<a href="https://example.com/x"><img src="a.png" alt="Logo"></a>`, "[Logo] (https://example.com/x)"},
		{`<a href="https://example.com/x"><img src="a.png"></a>`, ""},
		{`<a href="https://example.com/x"></a>text`, "text"},
		{`<a href="/rel">rel</a>`, "rel"},
		{`<base href="https://example.com/"><a href="/rel">rel</a>`, "rel (https://example.com/rel)"},
		{`<a href="HTTPS://EXAMPLE.COM/x">here</a>`, "here (HTTPS://EXAMPLE.COM/x)"},
		{`<a href="https://example.com/a b">here</a>`, "here (https://example.com/a b)"},
		{`<a href=" https://example.com/x ">here</a>`, "here (https://example.com/x)"},
		{`<a href="//example.com/x">here</a>`, "here"},
		{`<a name=x>anchor</a>`, "anchor"},
		{`<a href="cid:x">c</a>`, "c"},
		{`<img src="https://track.example/x.gif" width="1" height="1">a`, "a"},
		{`<img src=x style="width:1px;height:1px" alt="t">a`, "a"},
		{`<img src=x style="display:none" alt="t">a`, "a"},
		{`<img src=x width="0" alt="t">a`, "a"},
		{`<img src=x alt="">a`, "a"},
		{`😀<img src="emoji.png" alt="😀">`, "😀😀"},
		{`Hi <img data-emoji="🎉" class="an1" alt="🎉" src="x">`, "Hi 🎉"},
		{`<button>Pay</button> <input type="submit" value="Send">`, "Pay Send"},
		{`<input type="text" value="typed">`, "typed"},
		{`<textarea>a
b</textarea>`, "a\nb"},
		{`<select><option>a<option selected>b</select>x`, "x"},
		{`a&nbsp;&nbsp;b&ensp;c&#8203;d&shy;e`, "a b cde"},
		{`a&amp;b &lt;tag&gt; &copy &euro;5 &unknown; &#x4e2d;&#25991; &#0; &#150;`, "a&b <tag> © €5 &unknown; 中文 \ufffd –"},
		{`&quot;q&quot; &apos;a&apos; &hellip;`, `"q" 'a' …`},
		{`caf&eacute &amp;amp;`, "café &amp;"},
		{`5 < 6 and 7 > 3`, "5 < 6 and 7 > 3"},
		{`a <b@example.com> c`, "a <b@example.com> c"},
		{`On Mon Support <support@example.com> wrote:`, "On Mon Support <support@example.com> wrote:"},
		{`<p>unclosed <b>bold <i>both</p><p>next`, "unclosed bold both\n\nnext"},
		{`</div></p>text</table>`, "text"},
		{`<div>a</p>b</div>`, "a\n\nb"},
		{`<script>if (a<b) document.write("<p>x</p>")</script>seen`, "seen"},
		{`<style>unclosed`, ""},
		{`<svg><title>t</title><text>svg words</text></svg>seen`, "seen"},
		{`<math><mi>x</mi><mo>=</mo><mn>2</mn></math>`, "x=2"},
		{`<iframe>no frames</iframe>seen`, "seen"},
		{`<frameset><frame src=x></frameset><noframes>words</noframes>`, "words"},
		{`<object><p>fallback</p></object>seen`, "seen"},
		{`<div dir="rtl">שלום</div>`, "שלום"},
		{`H<sub>2</sub>O 10<sup>2</sup>`, "H2O 102"},
		{`<del>old</del> <s>x</s> <ins>new</ins>`, "old x new"},
		{`<center>c</center>d`, "c\nd"},
		{`<details><summary>Sum</summary>More</details>`, "Sum\nMore"},
		{`<figure><img alt="Pic"><figcaption>Cap</figcaption></figure>`, "[Pic]\nCap"},
		{`a<wbr>b`, "ab"},
		{`<font color=red>red</font><font size=2> small</font>`, "red small"},
		{`<marquee>m</marquee>`, "m"},
		{`<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>`, "漢(kan)"},
		{`<div>中文</div>
<div>第二行</div>`, "中文\n第二行"},
		{`中文
换行`, "中文 换行"},
		{`<div class="gmail_signature">-- <br>Ann</div>`, "-- \nAnn"},
		{`<span class="gmail_signature_prefix">-- </span><br><div>Ann</div>`, "-- \nAnn"},
		{`<table><tr><td style="display:none">x</td><td>y</td></tr></table>`, "y"},
		{`<div style="display:none"><div>a</div><br><img></div>b`, "b"},
		{`<div style='display:none'>a<p>b</div>c`, "c"},
		{`<p>a</p>&zwnj;&nbsp;&zwnj;&nbsp;<p>b</p>`, "a\n\nb"},
		{`<label>Name</label> <span>Ann</span>`, "Name Ann"},
		{`<option>x</option>`, "x"},
		{`<p>line one<br />
line two<br />
line three</p>`, "line one\nline two\nline three"},
		{`<b>Order:</b>&nbsp;4711`, "Order: 4711"},
		{`<address>Street 1<br>City</address>`, "Street 1\nCity"},
		{`<table><caption>Cap</caption><thead><tr><th>A</th></tr></thead><tbody><tr><td>b</td></tr></tbody><tfoot><tr><td>f</td></tr></tfoot></table>`, "Cap\nA\nb\nf"},
		{`<td>stray</td><td>cells</td>`, "stray\tcells"},
		{`<a href="https://example.com/x">a <b>bold</b> link</a>, more`, "a bold link (https://example.com/x), more"},
		{`See <a href="https://example.com/x">here</a>.`, "See here (https://example.com/x)."},
		{`<div>a<div>b</div>c</div>`, "a\nb\nc"},
		{`<div><span>a</span><div></div><div></div><span>b</span></div>`, "a\nb"},
		{`<p></p><p></p>a<p>&nbsp;</p>b`, "a\n\nb"},
		{`&lt;script&gt;alert(1)&lt;/script&gt;`, "<script>alert(1)</script>"},
		{`<P STYLE="DISPLAY:NONE">gone</P>seen`, "seen"},
		{`<div style="display:none;display:block">shown</div>`, "shown"},
		{`<div style="DISPLAY : none">gone</div>seen`, "seen"},
		{`<pre wrap>Hello <a href="https://example.com/x">https://example.com/x</a>
bye</pre>`, "Hello https://example.com/x\nbye"},
	} {
		if got := htmlText(c.in, 1<<20); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

// An element of a name that HTML does not know ends where it ends: hidden, it
// must not hide what follows.
func TestUnknownElementsEnd(t *testing.T) {
	for in, want := range map[string]string{
		`<x-pre style="display:none">gone</x-pre>seen`:                                  "seen",
		`<o:p style="display:none">&nbsp;</o:p>seen`:                                    "seen",
		`<xml><w:View>Normal</w:View></xml>seen`:                                        "seen",
		`<div><custom hidden>gone<other>too</other></custom>seen</div><p>also</p>`:      "seen\n\nalso",
		`<td style="font-size:0"><img alt="Shop" src=x><p style="font-size:1em">big`:    "[Shop]\n\nbig",
		`<a href="https://click.example.com/?url=x">see</a>`:                            "see (https://click.example.com/?url=x)",
		`<a href="https://urldefense.com/v3/__https://shop.example.com/x__;!!t$">y</a>`: "y (https://shop.example.com/x)",
	} {
		if got := htmlText(in, 1<<20); got != want {
			t.Errorf("%s\n got %q\nwant %q", in, got, want)
		}
	}
}

// Whole pages as programs write them.
func TestPagesOfPrograms(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"outlook": {
			`<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal{margin:0} --></style></head><body lang=EN-US><div class=WordSection1><p class=MsoNormal>Dear team,<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>the lamp is broken.<o:p></o:p></p><div style='border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>From:</b> Support &lt;support@example.com&gt; <br><b>Sent:</b> Monday<br><b>Subject:</b> RE: order<o:p></o:p></p></div><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Old<o:p></o:p></p></div></body></html>`,
			"Dear team,\n\nthe lamp is broken.\nFrom: Support <support@example.com>\nSent: Monday\nSubject: RE: order\n\nOld",
		},
		"gmail, answers between": {
			`<div dir="ltr">see below</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon S &lt;<a href="mailto:s@example.com">s@example.com</a>&gt; wrote:<br></div><blockquote class="gmail_quote"><div>q1</div></blockquote><div>a1</div><blockquote class="gmail_quote"><div>q2</div></blockquote><div>a2</div></div>`,
			"see below\n\nOn Mon S <s@example.com> wrote:\n> q1\na1\n> q2\na2",
		},
		"apple": {
			`<html><body style="overflow-wrap: break-word; line-break: after-white-space;">Nothing came.<div><br></div><div>Ann<div><br><blockquote type="cite"><div>On 23 Nov 2026, at 10:00, S &lt;s@example.com&gt; wrote:</div><br class="Apple-interchange-newline"><div><div>Old</div></div></blockquote></div><br></div></body></html>`,
			"Nothing came.\n\nAnn\n\n> On 23 Nov 2026, at 10:00, S <s@example.com> wrote:\n>\n> Old",
		},
		"thunderbird": {
			"<p>No.</p><div class=\"moz-cite-prefix\">Am 23.11.26 schrieb S:<br></div><blockquote type=\"cite\"><pre class=\"moz-quote-pre\" wrap=\"\">Old\ntext</pre></blockquote><p>below</p><pre class=\"moz-signature\" cols=\"72\">-- \nAnn</pre>",
			"No.\n\nAm 23.11.26 schrieb S:\n> Old\n> text\n\nbelow\n\n-- \nAnn",
		},
		"netease": {
			`<div>没收到</div><div id="ntes-pcmail-quote"><div>---- 回复的原邮件 ----</div><table><tr><td>发件人</td><td><a href="mailto:s@example.com">客服&lt;s@example.com&gt;</a></td></tr><tr><td>主题</td><td>订单</td></tr></table><div>旧</div></div>`,
			"没收到\n---- 回复的原邮件 ----\n发件人\t客服<s@example.com>\n主题\t订单\n旧",
		},
		"template": {
			`<body><div style="display:none;font-size:1px;color:#ffffff;max-height:0px;opacity:0">Preheader</div><table><tbody><tr><td style="direction:ltr;font-size:0px;padding:20px 0"><div style="font-size:0px;text-align:left"><table><tbody><tr><td style="font-size:0px"><div style="font-size:13px">Your order 4711</div></td></tr><tr><td style="font-size:0px"><table><tr><td bgcolor="#0066cc"><a href="https://shop.example.com/o" style="color:#ffffff;font-size:13px">View</a></td></tr></table></td></tr></tbody></table></div></td></tr></tbody></table></body>`,
			"Your order 4711\nView (https://shop.example.com/o)",
		},
	} {
		if got := htmlText(c.in, 1<<20); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", name, got, c.want)
		}
	}
}
