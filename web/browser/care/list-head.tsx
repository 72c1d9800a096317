/** Above the list: views with their counts, words to look for, what it is narrowed to, its order, and what is next. */
import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core'
import {
  IconAdjustmentsHorizontal,
  IconBookmarkPlus,
  IconCheck,
  IconDotsVertical,
  IconHandGrab,
  IconUsers,
  IconX,
} from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { Link } from 'react-router'
import {
  builtInViews,
  chipNames,
  type Filter,
  type FilterChange,
  hrefTo,
  isBuiltIn,
  sortOf,
  sorts,
  statusOf,
  viewOf,
} from './filter.ts'
import { useChipWords, useFilterQuestions } from './filter-questions.tsx'
import { useCounts, useMeanings, useViews } from './queries.ts'
import { setDensity, useDensity } from './density.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'

const ViewDialog = lazy(async () => ({ default: (await import('./view-dialog.tsx')).ViewDialog }))

interface Props {
  readonly filter: Filter
  readonly change: (to: FilterChange) => void
}

export function ViewTabs({ filter }: Pick<Props, 'filter'>) {
  const { t, language } = useSpeech()
  const views = useViews().data?.items ?? []
  const names = [...builtInViews, ...views.slice(0, 24).map(({ id }) => id)]
  const counts = useCounts(names)
  const number = new Intl.NumberFormat(language)
  const current = viewOf(filter)
  return (
    <nav className="views" aria-label={t('inbox.views')}>
      {names.map((name) => {
        const kept = views.find(({ id }) => id === name)
        const count = counts?.[name]
        return (
          <Link
            key={name}
            to={hrefTo(undefined, { view: name })}
            className="view"
            title={kept?.name}
            aria-current={name === current ? 'page' : undefined}
          >
            {kept && (kept.is_for_all || kept.team_ids !== null) && (
              <IconUsers size={14} aria-label={t('view.shared')} />
            )}
            <span className="view-name">{kept ? kept.name : isBuiltIn(name) ? t(`view.${name}`) : ''}</span>
            {count && (count.count > 0 || count.is_more) && (
              <span className="view-count">
                {number.format(count.count)}
                {count.is_more && '+'}
              </span>
            )}
          </Link>
        )
      })}
    </nav>
  )
}

export function FilterBar({ filter, change, take }: Props & { readonly take: () => void }) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const { askField, askValue } = useFilterQuestions(filter, change)
  const meanings = useMeanings()
  const words = useChipWords()
  const [keeping, setKeeping] = useState<'new' | 'edit'>()
  const view = viewOf(filter)
  const ofView = meanings.get(view)
  const status = statusOf(filter, ofView)
  const chips = chipNames.flatMap((name) => {
    const value = filter[name]
    return value === undefined || name === 'status' ? [] : [{ name, value }]
  })
  const sort = sortOf({ sort: filter.sort ?? ofView?.sort ?? 'newest' })
  const isNarrowed =
    chips.length > 0 || filter.status !== undefined || filter.sort !== undefined || filter.q !== undefined
  return (
    <div className="filters">
      <button type="button" className="chip" onClick={() => askValue('status')} title={t('filter.status')}>
        {words('status', status).replace(/^.*?: /, '')}
      </button>
      {chips.map(({ name, value }) => (
        <span key={name} className="chip chip-set">
          <button type="button" onClick={() => askValue(name === 'until' ? 'since' : name)}>
            {words(name, value)}
          </button>
          <button
            type="button"
            className="chip-drop"
            aria-label={t('filter.drop', { name: t(`filter.${name}`) })}
            onClick={() => change({ [name]: undefined })}
          >
            <IconX size={14} />
          </button>
        </span>
      ))}
      <Tooltip label={`${t('filter.add')} (F)`}>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={t('filter.add')} onClick={askField}>
          <IconAdjustmentsHorizontal size={18} />
        </ActionIcon>
      </Tooltip>
      {isNarrowed && (
        <Tooltip label={t('view.keep')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            aria-label={t('view.keep')}
            onClick={() => setKeeping('new')}
          >
            <IconBookmarkPlus size={18} />
          </ActionIcon>
        </Tooltip>
      )}
      <span className="filters-end">
        {permissions.includes('conversations.reply') && (
          <Tooltip label={`${t('action.take')} (T)`}>
            <Button
              size="compact-sm"
              variant="light"
              leftSection={<IconHandGrab size={16} aria-hidden />}
              onClick={take}
            >
              {t('care.take')}
            </Button>
          </Tooltip>
        )}
        <ListMenu sort={sort} change={change} editView={isBuiltIn(view) ? undefined : () => setKeeping('edit')} />
      </span>
      {keeping && (
        <Suspense>
          <ViewDialog filter={filter} isNew={keeping === 'new'} close={() => setKeeping(undefined)} />
        </Suspense>
      )}
    </div>
  )
}

function ListMenu({
  sort,
  change,
  editView,
}: Pick<Props, 'change'> & { readonly sort: string; readonly editView: (() => void) | undefined }) {
  const { t } = useSpeech()
  const density = useDensity()
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={t('list.options')}>
          <IconDotsVertical size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('list.order')}</Menu.Label>
        {sorts.map((each) => (
          <Menu.Item
            key={each}
            role="menuitemradio"
            aria-checked={each === sort}
            leftSection={<IconCheck size={16} aria-hidden style={{ opacity: each === sort ? 1 : 0 }} />}
            onClick={() => change({ sort: each })}
          >
            {t(`sort.${each}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => setDensity(density === 'compact' ? 'roomy' : 'compact')}>
          {t(density === 'compact' ? 'action.roomy' : 'action.compact')}
        </Menu.Item>
        {editView && <Menu.Item onClick={editView}>{t('view.edit')}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  )
}
