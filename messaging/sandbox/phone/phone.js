// The customers' side of the sandbox: a phone for each person, live, and switches for the networks' faults.

const faultSwitches = [
  { fault: 'delay_ms', label: 'Slow network', ms: 3000 },
  { fault: 'drop_answer', label: 'Drop the answer' },
  { fault: 'echo_none', label: 'No echo' },
  { fault: 'repeat_webhooks', label: 'Repeat webhooks' },
  { fault: 'expired_token', label: 'Expire the token' },
  { fault: 'network_off', label: 'Network off' },
]

const direct = (tab) => ({
  kind: 'message',
  tab,
  shows: ['message', 'reply', 'private_reply'],
  label: (channel) => `Message to ${channel.name}`,
})
const comments = {
  kind: 'comment',
  tab: 'Post',
  shows: ['comment', 'post', 'mention'],
  label: (channel) => `Comment under the post of ${channel.name}`,
}

/** What can be written on each network: the tab's name, the kind of utterance, and which utterances it shows. */
const surfaces = {
  facebook: [direct('Messenger'), comments],
  instagram: [direct('Direct'), comments],
  whatsapp: [direct('Chat')],
  x: [
    direct('Messages'),
    {
      kind: 'mention',
      tab: 'Posts',
      shows: ['comment', 'post', 'mention'],
      label: (channel) => `Post mentioning ${handleOf(channel)}`,
    },
  ],
}

/** What each network calls itself, and what a business has there. */
const networks = {
  facebook: { name: 'Facebook', place: 'Facebook Page' },
  instagram: { name: 'Instagram', place: 'Instagram account' },
  whatsapp: { name: 'WhatsApp', place: 'WhatsApp number' },
  x: { name: 'X', place: 'X account' },
}

/** How somebody is known there, beside the name. */
const aliasOf = ({ type, id, handle }) =>
  type === 'x' ? `@${handle ?? id}` : type === 'instagram' ? (handle ?? id) : type === 'whatsapp' ? `+${id}` : ''

/** Which tab a phone opens with: some of the people write in public. */
const firstTab = { 'Mina Sato': 1, 'Leo Lindqvist': 1 }

const handleOf = (channel) => `@${(channel.handle ?? channel.name).replace(/\s+/g, '')}`
const said = []
let lastSeq = 0
/** What was done to an utterance since, by its id. */
const done = new Map()
let lastAct = 0
const phones = new Map()
let world = { channels: [], people: [], faults: [] }

const state = document.querySelector('#state')
const call = async (method, path, body) => {
  const answer = await fetch(`../control/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const json = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(json.detail ?? `The sandbox answered ${answer.status}.`)
  return json
}

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

// ---------------------------------------------------------------------------------------------------------- phones

class Phone {
  constructor(person) {
    this.person = person
    this.tab = firstTab[person.name] ?? 0
    this.answering = undefined
    this.isTouched = false
    this.root = document.querySelector('#phone').content.firstElementChild.cloneNode(true)
    this.root.classList.add(person.type)
    const isTwin = [...phones.values()].some((other) => other.person.name === person.name)
    this.root.setAttribute('aria-label', `${person.name}'s phone${isTwin ? ` (${networks[person.type].name})` : ''}`)
    this.find('h2').textContent = person.name
    this.find('.on').textContent = [networks[person.type].name, aliasOf(person)].filter(Boolean).join(' · ')
    this.find('.avatar').textContent = person.name
      .split(/\s+/)
      .map((part) => part[0])
      .slice(0, 2)
      .join('')
    this.screen = this.find('.screen')
    this.box = this.find('textarea')
    this.select = this.find('select')
    this.tabs = surfaces[person.type].map((surface, index) => {
      const tab = make('button', { type: 'button', role: 'tab', textContent: surface.tab })
      tab.addEventListener('click', () => {
        this.isTouched = true
        this.open(index)
      })
      tab.addEventListener('keydown', (event) => {
        if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return
        const next = (index + 1) % this.tabs.length
        this.open(next)
        this.tabs[next].focus()
      })
      return tab
    })
    this.find('.tabs').append(...this.tabs)
    this.find('form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.send()
    })
    this.find('.answering button').addEventListener('click', () => this.answer(undefined))
    this.box.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault()
        void this.send()
      }
    })
    this.box.addEventListener('input', () => {
      this.isTouched = true
      this.grow()
    })
    this.select.addEventListener('change', () => this.show())
    document.querySelector('#phones').append(this.root)
  }

  find(selector) {
    return this.root.querySelector(selector)
  }

  get surface() {
    return surfaces[this.person.type][this.tab]
  }

  get isPublic() {
    return this.surface.kind !== 'message'
  }

  get channel() {
    return world.channels.find((channel) => channel.external_id === this.select.value)
  }

  offer(channels) {
    const chosen = this.select.value
    this.select.replaceChildren(
      ...channels.map((channel) => make('option', { value: channel.external_id, textContent: channel.name })),
    )
    if (channels.some((channel) => channel.external_id === chosen)) this.select.value = chosen
    this.find('.pick').hidden = channels.length < 2
    this.show()
  }

  open(index) {
    this.tab = index
    this.answer(undefined)
    this.show()
  }

  answer(utterance) {
    this.answering = utterance
    this.find('.answering').hidden = utterance === undefined
    if (utterance) {
      this.find('.answering span').textContent = `Answering “${utterance.text.slice(0, 60)}”`
      this.box.focus()
    }
  }

  show() {
    const channel = this.channel
    this.tabs.forEach((tab, index) => {
      tab.setAttribute('aria-selected', String(index === this.tab))
      tab.tabIndex = index === this.tab ? 0 : -1
    })
    this.box.disabled = channel === undefined
    this.find('.write > button').disabled = channel === undefined
    this.screen.replaceChildren()
    this.screen.classList.toggle('public', this.isPublic)
    this.screen.setAttribute('aria-label', `${this.person.name}: ${this.surface.tab}`)
    if (channel === undefined) {
      this.box.setAttribute('aria-label', 'Message')
      this.box.placeholder = ''
      this.screen.append(
        make('p', {
          className: 'empty',
          textContent: `No ${networks[this.person.type].place} is connected to the sandbox yet.`,
        }),
      )
      return
    }
    this.box.setAttribute('aria-label', this.surface.label(channel))
    this.box.placeholder =
      this.surface.kind === 'message'
        ? `Message ${channel.name}`
        : this.surface.kind === 'comment'
          ? 'Write a comment…'
          : `Post to ${handleOf(channel)}…`
    if (this.surface.kind === 'message')
      this.screen.append(
        make(
          'p',
          { className: 'intro' },
          make('span', { className: 'avatar large', ariaHidden: 'true', textContent: initialOf(channel.name) }),
          make('strong', { textContent: channel.name }),
        ),
      )
    for (const one of said) if (this.concerns(one)) this.put(one)
    if (this.surface.kind === 'message' && this.screen.childElementCount === 1)
      this.screen.append(
        make('p', { className: 'empty', textContent: `Write to ${channel.name}; the answer appears here.` }),
      )
    this.screen.scrollTop = this.screen.scrollHeight
  }

  concerns(one) {
    const channel = this.channel
    if (channel === undefined || one.channel !== channel.external_id || !this.surface.shows.includes(one.kind))
      return false
    // Public content is seen by everyone, direct messages by one.
    return this.isPublic
      ? !(one.kind === 'post' && one.direction === 'inbound' && one.person !== this.person.id)
      : one.person === this.person.id
  }

  put(one) {
    // Quick replies vanish with whatever is said next.
    if (!this.isPublic) for (const old of this.screen.querySelectorAll('.empty, .choices.quick')) old.remove()
    const isMine = one.direction === 'inbound' && one.person === this.person.id
    const item = make('article', { className: isMine ? 'mine' : one.direction === 'outbound' ? 'theirs' : 'other' })
    item.dataset.kind = one.kind
    item.title = new Date(one.at).toLocaleString()
    const name =
      one.direction === 'outbound'
        ? this.channel.name
        : (world.people.find((person) => person.id === one.person)?.name ?? 'Someone')
    const time = make('time', {
      dateTime: one.at,
      textContent: new Date(one.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }),
    })
    const text = make('p', { className: 'text', textContent: one.text, dir: 'auto' })
    text.append(...thingsOf(one), ...filesOf(one))
    // A picture that arrives late must not push what was at the end out of sight.
    for (const picture of text.querySelectorAll('img'))
      picture.addEventListener('load', () => {
        const { scrollHeight, scrollTop, clientHeight } = this.screen
        if (scrollHeight - scrollTop - clientHeight < picture.height + 120) this.screen.scrollTop = scrollHeight
      })
    text.classList.toggle('bare', one.text === '' && text.firstElementChild?.tagName === 'IMG')
    if (one.wire?.reply_to?.story)
      item.append(make('p', { className: 'note', textContent: 'You answered their story' }))
    if (!this.isPublic) {
      item.append(make('span', { className: 'hidden', textContent: `${name}: ` }), text, time)
      if (one.kind === 'private_reply')
        item.prepend(make('p', { className: 'note', textContent: 'answered your comment' }))
    } else {
      const isAnswer = one.in_reply_to !== undefined && one.in_reply_to !== one.post_id
      item.classList.toggle(
        'answer',
        one.kind !== 'post' && (isAnswer || this.person.type === 'x') && one.in_reply_to !== undefined,
      )
      const avatar = make('span', { className: 'avatar', ariaHidden: 'true', textContent: initialOf(name) })
      const head = make('p', { className: 'name' }, make('strong', { textContent: name }), ' ', time)
      const reply = make('button', {
        type: 'button',
        className: 'reply',
        textContent: 'Reply',
        ariaLabel: `Reply to ${name}: ${one.text.slice(0, 40)}`,
      })
      reply.addEventListener('click', () => this.answer(one))
      item.append(avatar, make('div', { className: 'body' }, make('div', { className: 'bubble' }, head, text), reply))
    }
    if (!this.isPublic && one.choices) text.after(this.buildChoices(one))
    this.place(one, item)
    mark(item, one)
  }

  /** Somebody did something to what is shown here, or shows that they are there. */
  see(act) {
    const isHere = act.channel === this.channel?.external_id
    if (!isHere) return
    const one = said.find(({ external_id }) => external_id === act.external_id)
    const item = [...this.screen.children].find(
      ({ dataset }) => dataset.id !== undefined && dataset.id === act.external_id,
    )
    if (one && item) mark(item, one)
    if (this.isPublic || act.person !== this.person.id || act.by !== 'channel') return
    const sign = act.what === 'typing' ? `${this.channel.name} is typing…` : act.what === 'seen' ? 'Seen' : undefined
    if (sign === undefined) return
    this.screen.querySelector('.sign')?.remove()
    const shown = make('p', { className: 'note sign', textContent: sign })
    this.screen.append(shown)
    this.screen.scrollTop = this.screen.scrollHeight
    if (act.what === 'typing') setTimeout(() => shown.remove(), 6000)
  }

  /** What may be pressed below a message. */
  buildChoices({ choices, external_id, channel }) {
    const buttons = choices.map(({ id, title, description }) => {
      const words = [title, ...(description ? [make('small', { textContent: description })] : [])]
      const button = make('button', { type: 'button' }, ...words)
      button.addEventListener('click', () => {
        this.isTouched = true
        void call('POST', 'meta/press', { channel, external_id, id, person: this.person.id }).catch(() => undefined)
      })
      return button
    })
    return make('div', { className: choices[0].as === 'quick_reply' ? 'choices quick' : 'choices' }, ...buttons)
  }

  /** Public answers stand below what they answer; everything else at the end. */
  place(one, item) {
    item.dataset.id = one.external_id
    item.dataset.parent = one.in_reply_to ?? one.post_id ?? ''
    if (this.isPublic && one.kind !== 'post') {
      const family = new Set([item.dataset.parent])
      let last
      for (const element of this.screen.children) {
        if (element.dataset.id === item.dataset.parent) last = element
        else if (last && family.has(element.dataset.parent)) last = element
        if (last === element) family.add(element.dataset.id)
      }
      if (last) {
        last.after(item)
        return
      }
    }
    this.screen.append(item)
  }

  take(one) {
    // Until someone uses this phone, it shows where its owner wrote last.
    if (
      !this.isTouched &&
      one.person === this.person.id &&
      one.direction === 'inbound' &&
      !this.surface.shows.includes(one.kind)
    ) {
      const shown = surfaces[this.person.type].findIndex(({ shows }) => shows.includes(one.kind))
      if (shown >= 0) this.open(shown)
      return
    }
    if (!this.concerns(one)) return
    const isAtEnd = this.screen.scrollHeight - this.screen.scrollTop - this.screen.clientHeight < 120
    this.put(one)
    if (isAtEnd) this.screen.scrollTop = this.screen.scrollHeight
    if (!this.isPublic && one.direction === 'outbound') this.markRead()
  }

  /** One receipt for everything that has just appeared, while somebody looks. */
  markRead() {
    clearTimeout(this.reading)
    this.reading = setTimeout(() => {
      if (document.visibilityState !== 'visible' || this.isPublic || this.channel === undefined) return
      void call('POST', 'read', { channel: this.channel.external_id, person: this.person.id }).catch(() => undefined)
    }, 400)
  }

  async send() {
    const channel = this.channel
    let text = this.box.value.trim()
    if (text === '' || channel === undefined) return
    const problem = this.find('.problem')
    const { kind } = this.surface
    const answering = this.answering
    if (kind === 'mention' && answering === undefined && !text.includes(handleOf(channel)))
      text = `${handleOf(channel)} ${text}`
    this.box.value = ''
    this.grow()
    this.answer(undefined)
    problem.hidden = true
    try {
      await call('POST', 'say', {
        type: this.person.type,
        channel: channel.external_id,
        person: {
          id: this.person.id,
          name: this.person.name,
          ...(this.person.handle ? { handle: this.person.handle } : {}),
        },
        kind: kind === 'mention' && answering ? 'comment' : kind,
        text,
        ...placeOf(answering, this.person.type, kind, channel),
      })
    } catch (error) {
      this.box.value = text
      problem.textContent = error.message
      problem.hidden = false
    }
  }

  grow() {
    this.box.style.height = 'auto'
    this.box.style.height = `${Math.min(this.box.scrollHeight, 120)}px`
  }
}

/** How an utterance looks after what was done to it. */
function mark(item, { external_id: id }) {
  const acts = done.get(id) ?? []
  const last = (...names) => acts.findLast(({ what }) => names.includes(what))?.what
  const reactions = new Map()
  for (const { what, by, person, emoji } of acts) {
    const who = by === 'channel' ? by : person
    if (what === 'react') reactions.set(who, emoji ?? '❤️')
    if (what === 'unreact') reactions.delete(who)
  }
  const text = item.querySelector('.text')
  const isGone = last('delete') !== undefined
  const edited = acts.findLast(({ what }) => what === 'edit')
  if (isGone) text.textContent = 'Deleted'
  else if (edited?.text !== undefined) text.firstChild.textContent = edited.text
  item.classList.toggle('gone', isGone)
  if (isGone) item.querySelector('.choices')?.remove()
  // A hidden comment is still there for whoever wrote it.
  item.hidden = last('hide', 'unhide') === 'hide' && !item.classList.contains('mine')
  const signs = [
    ...reactions.values(),
    ...(last('like', 'unlike') === 'like' ? ['❤️'] : []),
    ...(last('hide', 'unhide') === 'hide' ? ['Hidden from others'] : []),
  ]
  item.querySelector('.marks')?.remove()
  if (signs.length > 0 && !isGone) text.after(make('p', { className: 'note marks', textContent: signs.join(' ') }))
}

const initialOf = (name) => (name.match(/\p{L}/u)?.[0] ?? name[0] ?? '?').toUpperCase()

/** Pictures, films and places in an utterance. Files lie beside this page, wherever their address was made; closed ones do not. */
function thingsOf({ picture, files = [], wire }) {
  const shown = [{ url: picture }, ...files].flatMap(({ url, file, alt_text: alt }) => {
    const name = (url ?? (file && `/media/${file}`))?.match(
      /\/media\/([\w-]+\.(?:png|gif|jpg|webp|mp4|mov)(?:\?.*)?)$/,
    )?.[1]
    return name === undefined ? [] : [{ src: `../media/${name}`, alt: alt ?? 'Picture' }]
  })
  const place = wire?.location
  return [
    ...shown.map(({ src, alt }) =>
      /\.(?:mp4|mov)/.test(src) ? make('video', { src, controls: true, ariaLabel: 'Film' }) : make('img', { src, alt }),
    ),
    ...(place
      ? [
          make(
            'span',
            { className: 'place' },
            make('span', { className: 'map', ariaHidden: 'true' }),
            make('strong', { textContent: place.name ?? 'Location' }),
            make('span', { textContent: place.address ?? `${place.latitude}, ${place.longitude}` }),
          ),
        ]
      : []),
  ]
}

/** Files that are no pictures and no films. */
function filesOf({ files = [] }) {
  return files.flatMap(({ url, file, title }) => {
    const [, name, ending] = (url ?? (file && `/media/${file}`))?.match(/\/media\/([\w-]+\.(\w+)(?:\?.*)?)$/) ?? []
    if (name === undefined || /^(?:png|gif|jpg|webp|mp4|mov)$/.test(ending)) return []
    const src = `../media/${name}`
    return /^(?:wav|mp3|ogg|m4a|aac|amr)$/.test(ending)
      ? [make('audio', { src, controls: true, ariaLabel: 'Voice' })]
      : [
          make('a', {
            className: 'file',
            href: src,
            target: '_blank',
            rel: 'noopener',
            textContent: `📄 ${title ?? 'File'}`,
          }),
        ]
  })
}

/** Where a public utterance stands. Facebook and Instagram have two levels of comments, X a chain. */
function placeOf(answering, type, kind, channel) {
  if (answering === undefined) return kind === 'comment' && channel.post_id ? { post_id: channel.post_id } : {}
  if (answering.kind === 'post')
    return { post_id: answering.external_id, ...(type === 'x' ? { in_reply_to: answering.external_id } : {}) }
  const parent = type !== 'x' ? (answering.in_reply_to ?? answering.external_id) : answering.external_id
  return { in_reply_to: parent, ...(answering.post_id ? { post_id: answering.post_id } : {}) }
}

// ---------------------------------------------------------------------------------------------------------- the world

async function refresh() {
  world = await call('GET', 'world')
  // The people of the demonstration, in their order; a load test's thousands are not shown.
  for (const person of world.people.slice(0, 10)) if (!phones.has(person.id)) phones.set(person.id, new Phone(person))
  for (const phone of phones.values()) {
    const channels = world.channels.filter((channel) => channel.type === phone.person.type)
    const offered = channels.map((channel) => `${channel.external_id} ${channel.name}`).join()
    if (phone.offered !== offered) {
      phone.offered = offered
      phone.offer(channels)
    }
  }
  for (const input of document.querySelectorAll('#faults input'))
    input.checked = world.faults.some((one) => one.fault === input.name && !one.channel && !one.network)
}

for (const { fault, label, ms } of faultSwitches) {
  const input = make('input', { type: 'checkbox', name: fault })
  input.setAttribute('role', 'switch')
  input.addEventListener('change', () => {
    void call('POST', 'faults', { fault, ...(ms ? { ms } : {}), ...(input.checked ? {} : { count: 0 }) }).then(
      refresh,
      refresh,
    )
  })
  document.querySelector('#faults').append(make('label', {}, input, ` ${label}`))
}

function listen() {
  const live = new EventSource('live')
  live.addEventListener('open', () => {
    state.textContent = 'Live'
    state.className = 'live'
    void refresh().catch(() => undefined)
  })
  live.addEventListener('error', () => {
    state.textContent = 'Not connected; trying again…'
    state.className = 'away'
  })
  live.addEventListener('message', (event) => {
    const one = JSON.parse(event.data)
    if (one.seq <= lastSeq) return
    lastSeq = one.seq
    said.push(one)
    for (const phone of phones.values()) phone.take(one)
  })
  live.addEventListener('act', (event) => {
    const act = JSON.parse(event.data)
    if (act.seq <= lastAct) return
    lastAct = act.seq
    if (act.external_id !== undefined) done.set(act.external_id, [...(done.get(act.external_id) ?? []), act])
    for (const phone of phones.values()) phone.see(act)
  })
}

await refresh().catch(() => undefined)
listen()
setInterval(() => void refresh().catch(() => undefined), 3000)
