package normalize

import "testing"

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		"姓名：王小明，电话": "王小明", "我的名字是 李娜\n": "李娜", "我叫张伟伟伟伟": "", "我叫张伟": "张伟", "我是客户张伟，": "张伟", "我是张伟": "", "我是客户，我叫李娜。": "李娜",
		"my NAME is\n John O’Neil Smith Jones Brown": "John O’Neil Smith Jones", "Name : Zoë, this is Ann Lee": "Zoë", "name Bob": "", "This is Ann-Marie Lee.": "Ann-Marie Lee",
		"this is Ann": "", "This is  Ann Lee": "", "I AM Bob Lee": "Bob Lee", "I'm B Lee": "", "": "", "Dear Sir, The Parcel": "", "我是你们。This is Ann Lee": "Ann Lee",
	} {
		if got := nameIn(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
