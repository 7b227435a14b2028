package letter
import ("testing";"strings";"time";"fmt")
func TestProbe(t *testing.T){
 var b strings.Builder
 for i:=0;b.Len()<250<<10;i++ { fmt.Fprintf(&b,"=?a%d?q?=81=ff=e9=20?= ",i%10) }
 for n,s:=range map[string]string{"unkwords":b.String(),"raw":strings.Repeat("\xe9\xff\x81 =?",50<<10),"rawlong":strings.Repeat("\xe9\xff\x81 \xe0a",50<<10)}{
  st:=time.Now(); decodeWords(s,""); x:=time.Since(st)
  st=time.Now(); parseAddresses(strings.ReplaceAll(s," ","@x,"),""); y:=time.Since(st)
  st=time.Now(); parseValue("x/y; "+strings.Repeat("a="+s[:2000]+";",100),""); z:=time.Since(st)
  t.Log(n,x,y,z)
 }
}
