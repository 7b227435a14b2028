package letter
import ("testing";"strings";"time")
func TestProbe(t *testing.T){
 for n,s:=range map[string]string{"paren":strings.Repeat("(",250<<10),"ats":strings.Repeat("@ ",125<<10),"commas":strings.Repeat("a,",125<<10),"parencomma":strings.Repeat("(,",125<<10),"words":strings.Repeat("=?a?q?x",36<<10),"angle":strings.Repeat("<a",125<<10),"quote":strings.Repeat("\",",125<<10)}{
  st:=time.Now(); parseAddresses(s,""); a:=time.Since(st)
  st=time.Now(); decodeWords(s,""); b:=time.Since(st)
  st=time.Now(); messageIDs(s); c:=time.Since(st)
  st=time.Now(); parseValue("x/y; "+s,""); d:=time.Since(st)
  t.Log(n,a,b,c,d)
 }
 for n,s:=range map[string]string{"li":strings.Repeat("<ul>",512)+strings.Repeat("<li>x",400000),"p":strings.Repeat("<div>",512)+strings.Repeat("</b>",500000),"td":strings.Repeat("<table>",512)+strings.Repeat("<td>",500000),"a":strings.Repeat("<a href=http://x>",100000),"bq":strings.Repeat("<blockquote>",170000)}{
  st:=time.Now(); htmlText(s,2<<20); t.Log(n,time.Since(st))
 }
}
