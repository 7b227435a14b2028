package config
const DefaultTimezone = "Asia/Shanghai"
