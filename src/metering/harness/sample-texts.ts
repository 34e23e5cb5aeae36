/** Texts of the kinds that prompts consist of, each long enough for its tokens to be typical. */
export const sampleTexts = {
  prose: `The library opened at nine, and by half past the reading room was full. Most of those who came did not come
for the books: they wanted the warmth, the long tables and the quiet, and the librarian, who knew this, had stopped
asking for cards years ago. In winter she put out a second kettle. Students worked beside retired engineers; a woman
who had once translated poetry corrected the grammar of a boy who wanted to become a pilot. Nobody had planned any of
it. When the council proposed to close the building, on the grounds that lending had fallen by two thirds since the
turn of the century, four hundred letters arrived within a week, and only nine of them mentioned a book.`,
  code: `export async function readConfiguration(path: string, options: ReadOptions = {}): Promise<Configuration> {
  const text = await readFile(path, 'utf8')
  const document = parseDocument(text, { strict: true, uniqueKeys: true })
  const problems: Problem[] = []
  for (const error of document.errors) {
    const [start] = error.linePos ?? [{ line: 0, col: 0 }]
    problems.push({ line: start.line, column: start.col, message: error.message })
  }
  if (problems.length > 0 && options.lenient !== true) throw new ConfigurationError(path, problems)
  return Object.freeze({ ...defaults, ...(document.toJS() as Partial<Configuration>) })
}

def moving_average(values: list[float], width: int = 5) -> list[float]:
    total = sum(values[:width])
    result = [total / width]
    for i in range(width, len(values)):
        total += values[i] - values[i - width]
        result.append(total / width)
    return result
`,
  json: `{"order":{"id":"ord_8f3a91","createdAt":"2026-03-14T09:26:53.589Z","currency":"EUR","customer":{"id":48213,
"name":"Ada Byron","email":"ada@example.org","addresses":[{"kind":"billing","street":"12 St James's Square",
"city":"London","postcode":"SW1Y 4JH"}]},"lines":[{"sku":"BK-1843-NOTES","quantity":2,"unitPrice":18.5,
"discount":null,"tags":["mathematics","history"]},{"sku":"PN-0007","quantity":12,"unitPrice":0.75,"discount":0.1,
"tags":[]}],"total":45.1,"paid":true,"metadata":{"source":"web","trace":"00-4bf92f3577b34da6a3ce929d0e0e4736-01"}}}`,
  german: `Die Prüfung der Angebote hat länger gedauert als vorgesehen, weil zwei der fünf Bieter ihre Unterlagen erst
nach mehrmaliger Aufforderung vollständig eingereicht haben. Wir schlagen vor, den Zuschlag dem Unternehmen zu erteilen,
das zwar nicht den niedrigsten Preis, aber die überzeugendste Lösung für die Wärmerückgewinnung vorgelegt hat. Über die
Höhe der Vertragsstrafe müsste vor der Unterzeichnung noch einmal gesprochen werden.`,
  russian: `Поезд опаздывал уже на сорок минут, и пассажиры, собравшиеся на платформе, начали рассказывать друг другу
истории. Старый машинист утверждал, что раньше составы ходили точнее, хотя и медленнее. Молодая женщина с виолончелью
возражала ему: её бабушка, работавшая на этой станции, вспоминала, как однажды зимой ждали поезда двое суток. К вечеру
пошёл снег, и разговор сам собой утих.`,
  chinese: `这座城市的老图书馆建于一百年前,墙壁上爬满了常春藤。每到周末,附近的孩子们都会来到这里,坐在宽大的木桌旁读书。
管理员是一位退休的数学老师,她记得每一个常客的名字,也知道他们喜欢什么样的故事。去年冬天,暖气坏了,读者们穿着大衣继续看书,
没有人愿意提前离开。后来市政府决定拨款修缮,工程师们发现屋顶的木梁依然坚固,只需要更换几块瓦片。`,
  japanese: `駅前の小さな喫茶店は、朝の六時から開いている。主人は毎朝コーヒー豆を自分で焙煎し、その香りが通りまで漂ってくる。
常連客の多くは近くの市場で働く人たちで、仕事の前に一杯だけ飲んで、新聞を読みながら天気の話をする。雨の日には、店の奥にある
古いピアノを誰かが弾くこともあり、そのときだけは皆が静かになる。`,
  korean: `작은 섬마을의 우체국은 일주일에 두 번만 문을 연다. 배가 들어오는 날이면 주민들은 편지와 소포를 찾으러 모여들고,
우체국장은 한 사람 한 사람에게 안부를 묻는다. 요즘은 전자우편이 있어도 할머니들은 여전히 손으로 쓴 편지를 기다린다.`,
  emoji: `Launch day! 🚀🚀 The team did it 🎉👏🏽 — thanks to everyone 🙏🏻❤️‍🔥 Next stop: 🌍🌎🌏 (and then 😴💤).
👩‍💻👨‍🔬🧑‍🚀 + ☕️☕️☕️ = ✨💡✨ 🇩🇪🇯🇵🇧🇷 see you there 👋🏿😄`,
} as const

export type SampleName = keyof typeof sampleTexts
